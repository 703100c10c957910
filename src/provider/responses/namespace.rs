//! Tools that a client has put into namespaces. Only this dialect has them: elsewhere a tool has one name, made of both
//! names, and a call by it is told apart again by the mark between them. Nothing is kept for that, so it holds for an
//! answer out of the cache and in the next turn, too.

use super::write::quoted;

/// Stands between the two names. It is in the letters that every provider takes, and in no name that a person gives.
pub(super) const MARK: &str = "-__-";

/// The one name of a tool in a namespace; both are escaped.
pub(super) fn joined(space: &str, name: &str) -> String {
    [space, MARK, name].concat()
}

/// Appends the name of a tool that was called, as the client gave it.
pub(super) fn push_name(out: &mut String, name: &str) {
    match name.split_once(MARK).filter(|(space, name)| !space.is_empty() && !name.is_empty()) {
        Some((space, name)) => {
            quoted(out, "name", name);
            quoted(out, "namespace", space);
        }
        None => quoted(out, "name", name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str) -> String {
        let mut out = String::new();
        push_name(&mut out, name);
        out
    }

    #[test]
    fn what_was_joined_comes_apart() {
        assert_eq!(told(&joined("mcp__docs", "search-it")), r#""name":"search-it","namespace":"mcp__docs""#);
        assert_eq!(told(&joined("a", "b-__-c")), r#""name":"b-__-c","namespace":"a""#);
    }

    #[test]
    fn other_names_stay_whole() {
        for name in ["f", "mcp__docs__search", "a--b", "-__-", "-__-f", "f-__-", ""] {
            assert_eq!(told(name), [r#""name":""#, name, "\""].concat());
        }
    }
}
