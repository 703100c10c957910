//! Arguments of a function call that come in pieces (`partialArgs`): each piece is a value, or a piece of a
//! text, and the JSONPath (RFC 9535) of its place. The whole is known when the last piece is there.

use super::fields::{comma, push};
use crate::json::{self, Escaped, Fields, push_text};

/// Deeper arguments are not put together: a function has a handful of levels.
const DEEPEST: usize = 32;
/// The longest list: an index beyond is a mistake or an attack.
const LONGEST: usize = 4096;

/// Places of one call's arguments. A path of two hundred letters may ask for a hundred thousand.
const MOST: usize = 16_384;
/// Bytes of their texts and values.
const MOST_BYTES: usize = 4 << 20;

/// Arguments under construction.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Partial {
    root: Node,
    /// Places that were made.
    places: usize,
    bytes: usize,
    /// A piece had no place: nothing more is looked for.
    broken: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
enum Node {
    /// A place that nothing was said about.
    #[default]
    Nothing,
    /// A text, escaped; more may be appended.
    Text(String),
    /// Any other value, as it is written.
    Value(String),
    Object(Vec<(String, Node)>),
    List(Vec<Node>),
}

enum Step {
    Name(String),
    Index(usize),
}

impl Partial {
    /// Takes one piece in; `None` for one that has no place: the arguments cannot be known then.
    pub(super) fn push(&mut self, piece: &Fields<'_>) -> Option<()> {
        if self.broken {
            return None;
        }
        let placed = self.place(piece);
        self.broken = placed.is_none();
        placed
    }

    fn place(&mut self, piece: &Fields<'_>) -> Option<()> {
        let path = piece.field("jsonPath").and_then(json::text)?;
        let steps = steps(&path)?;
        // Arguments are an object.
        matches!(steps.first()?, Step::Name(_)).then_some(())?;
        // What is said, its name, and more.
        let said = piece.iter().map(|(_, raw)| raw.get().len()).fold(0, usize::saturating_add);
        self.bytes = self.bytes.saturating_add(said);
        (self.bytes <= MOST_BYTES).then_some(())?;
        let mut node = &mut self.root;
        for step in steps {
            node = node.at(step, &mut self.places)?;
        }
        if let Some(text) = piece.field("stringValue").and_then(Escaped::of) {
            match node {
                Node::Text(own) => own.push_str(text.get()),
                other => *other = Node::Text(text.get().into()),
            }
        } else if let Some(value) = piece.field("numberValue").or_else(|| piece.field("boolValue")) {
            *node = Node::Value(value.get().into());
        } else if piece.field("nullValue").is_some() {
            *node = Node::Value("null".into());
        }
        Some(())
    }

    /// The arguments as a JSON object.
    pub(super) fn json(&self) -> String {
        let mut out = String::new();
        match &self.root {
            Node::Object(_) => self.root.write(&mut out),
            Node::Nothing | Node::Text(_) | Node::Value(_) | Node::List(_) => out.push_str("{}"),
        }
        out
    }
}

impl Node {
    /// The place below this one, made if it is not there and there are fewer than [`MOST`].
    fn at(&mut self, step: Step, places: &mut usize) -> Option<&mut Self> {
        match step {
            Step::Name(name) => {
                if !matches!(self, Self::Object(_)) {
                    *self = Self::Object(Vec::new());
                }
                let Self::Object(fields) = self else { return None };
                let known = fields.iter().position(|(own, _)| *own == name);
                let place = known.unwrap_or(fields.len());
                if known.is_none() {
                    *places = places.saturating_add(1);
                    (*places <= MOST).then_some(())?;
                    fields.push((name, Self::Nothing));
                }
                fields.get_mut(place).map(|(_, node)| node)
            }
            Step::Index(index) => {
                if !matches!(self, Self::List(_)) {
                    *self = Self::List(Vec::new());
                }
                let Self::List(items) = self else { return None };
                while items.len() <= index {
                    *places = places.saturating_add(1);
                    (*places <= MOST).then_some(())?;
                    items.push(Self::Nothing);
                }
                items.get_mut(index)
            }
        }
    }

    /// As deep as the paths, which [`DEEPEST`] bounds.
    fn write(&self, out: &mut String) {
        match self {
            Self::Nothing => out.push_str("null"),
            Self::Text(inner) => push(out, &["\"", inner, "\""]),
            Self::Value(json) => out.push_str(json),
            Self::Object(fields) => {
                out.push('{');
                for (name, node) in fields {
                    comma(out);
                    push_text(out, name);
                    out.push(':');
                    node.write(out);
                }
                out.push('}');
            }
            Self::List(items) => {
                out.push('[');
                for node in items {
                    comma(out);
                    node.write(out);
                }
                out.push(']');
            }
        }
    }
}

/// `$.a[0]['b c']` in steps.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() >= DEEPEST {
            return None;
        }
        let step;
        if let Some(named) = rest.strip_prefix('.') {
            let (name, after) = named.split_at(named.find(['.', '[']).unwrap_or(named.len()));
            (step, rest) = (Step::Name(name.into()), after);
        } else {
            let inside = rest.strip_prefix('[')?;
            let quote = inside.chars().next().filter(|first| matches!(first, '\'' | '"'));
            if let Some(quote) = quote {
                let (name, after) = inside.strip_prefix(quote)?.split_once([quote, ']'])?;
                (step, rest) = (Step::Name(name.into()), after.strip_prefix(']')?);
            } else {
                let (index, after) = inside.split_once(']')?;
                let index = index.parse().ok().filter(|index| *index < LONGEST)?;
                (step, rest) = (Step::Index(index), after);
            }
        }
        steps.push(step);
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(pieces: &[&str]) -> String {
        let mut partial = Partial::default();
        for piece in pieces {
            partial.push(&json::fields(piece).unwrap()).unwrap();
        }
        partial.json()
    }

    #[test]
    fn pieces_find_their_places() {
        assert_eq!(built(&[]), "{}");
        assert_eq!(
            built(&[
                r#"{"jsonPath":"$.id","stringValue":"A\n","willContinue":true}"#,
                r#"{"jsonPath":"$.id","stringValue":"B"}"#,
                r#"{"jsonPath":"$.list[1].deep","numberValue":1.50}"#,
                r#"{"jsonPath":"$.list[0]","boolValue":true}"#,
                r#"{"jsonPath":"$['a b']","nullValue":"NULL_VALUE"}"#,
            ]),
            r#"{"id":"A\nB","list":[true,{"deep":1.50}],"a b":null}"#
        );
    }

    #[test]
    fn no_path_asks_for_more_places_than_a_call_has() {
        let mut partial = Partial::default();
        let deep = format!(r#"{{"jsonPath":"$.a{}","boolValue":true}}"#, "[4095]".repeat(31));
        assert_eq!(partial.push(&json::fields(&deep).unwrap()), None);
        assert!(partial.json().len() < MOST * 8, "{}", partial.json().len());
        let mut partial = Partial::default();
        let fits = |partial: &mut Partial, name: usize| {
            partial.push(&json::fields(&format!(r#"{{"jsonPath":"$.n{name}","boolValue":true}}"#)).unwrap()).is_some()
        };
        let taken = (0..MOST + 9).filter(|name| fits(&mut partial, *name)).count();
        assert_eq!((taken, fits(&mut partial, 0)), (MOST, false), "what is broken stays so");
    }

    #[test]
    fn no_text_grows_for_ever() {
        let mut partial = Partial::default();
        let piece = format!(r#"{{"jsonPath":"$.a","stringValue":"{}"}}"#, "x".repeat(1 << 20));
        let piece = json::fields(&piece).unwrap();
        let taken = (0..9).filter(|_| partial.push(&piece).is_some()).count();
        assert_eq!(taken, 3);
    }

    #[test]
    fn hostile_paths_have_no_place() {
        let deep = format!(r#"{{"jsonPath":"${}","stringValue":"x"}}"#, "[0]".repeat(33));
        for piece in [
            r#"{"stringValue":"x"}"#,
            r#"{"jsonPath":"id","stringValue":"x"}"#,
            r#"{"jsonPath":"$.a[99999999]","stringValue":"x"}"#,
            r#"{"jsonPath":"$[-1]","stringValue":"x"}"#,
            r#"{"jsonPath":"$[","stringValue":"x"}"#,
            r#"{"jsonPath":"$['a","stringValue":"x"}"#,
            r#"{"jsonPath":"$","stringValue":"x"}"#,
            r#"{"jsonPath":"$[0]","stringValue":"x"}"#,
            &deep,
        ] {
            let mut partial = Partial::default();
            assert_eq!(partial.push(&json::fields(piece).unwrap()), None, "{piece}");
            assert_eq!(partial.json(), "{}", "{piece}");
        }
    }
}
