use super::*;

fn raw(json: &str) -> Raw<'_> {
    Raw(Scanner::new(json).value().unwrap())
}

#[test]
fn fields_keep_their_order_and_their_text() {
    let read = fields(r#" { "b" : [1, 2 ] ,"\u0061":"x\ny", "b": null } "#).unwrap();
    let all: Vec<_> = read.iter().map(|(name, value)| (name, value.get())).collect();
    assert_eq!(all, [("b", "[1, 2 ]"), ("a", r#""x\ny""#), ("b", "null")]);
    assert_eq!(read.field("b").unwrap().get(), "null", "the last wins");
    assert!(read.field("c").is_none());
    assert_eq!((read.len(), read.is_empty()), (3, false));
    assert!(fields("{}").unwrap().is_empty());
}

#[test]
fn only_whole_valid_input_is_read() {
    for bad in ["", "[]", "null", "{", "{}x", "{\"a\"}", "{a:1}", "{\"a\":01}", "{\"a\":NaN}", "{\"\\ud800\":1}"] {
        assert!(fields(bad).is_err(), "{bad}");
    }
    for bad in ["", "{}", "\"a\"", "[", "[1,]", "[1] 2", "[\"\u{1}\"]"] {
        assert!(items(bad).is_err(), "{bad}");
    }
    let read = items(" [1, {\"a\":[]} ] ").unwrap();
    assert_eq!(read.iter().map(|item| item.get()).collect::<Vec<_>>(), ["1", "{\"a\":[]}"]);
}

#[test]
fn items_are_given_one_by_one() {
    let mut seen = Vec::new();
    let whole = each(" [1, {\"a\":[{}]} ,\"{\", [{}]] ", &mut |item| {
        seen.push(match item {
            Item::Object(own) => own.iter().flat_map(|(name, value)| [name.into(), value.get().into()]).collect(),
            Item::Other(raw) => vec![String::from(raw.get())],
        });
        Some(())
    });
    assert_eq!(whole, Some(()));
    assert_eq!(seen, [vec!["1"], vec!["a", "[{}]"], vec!["\"{\""], vec!["[{}]"]]);
    for bad in ["", "{}", "[", "[1,]", "[{]", "[{}", "[1] 2", "[{},,1]"] {
        assert_eq!(each(bad, &mut |_| Some(())), None, "{bad}");
    }
    let mut count = 0;
    assert_eq!(each("[1,2]", &mut |_| (count += 1, None::<()>).1), None, "stopped");
    assert_eq!(count, 1);
    assert_eq!(each("[]", &mut |_| None), Some(()));
}

#[test]
fn texts_are_decoded_and_borrow_where_they_can() {
    assert!(matches!(text(raw("\"plain é\"")), Some(Cow::Borrowed("plain é"))));
    assert_eq!(text(raw(r#""\ud83d\ude00\"\\""#)).unwrap(), "😀\"\\");
    for other in ["1", "null", "[]", r#""\ud800""#] {
        assert_eq!(text(raw(other)), None, "{other}");
    }
}

#[test]
fn whole_numbers_are_exact() {
    assert_eq!(uint(raw("18446744073709551615")), Some(u64::MAX));
    assert_eq!(uint(raw("0")), Some(0));
    for other in ["18446744073709551616", "-1", "-0", "1.0", "1e3", "\"1\"", "null"] {
        assert_eq!(uint(raw(other)), None, "{other}");
    }
}

#[test]
fn nesting_overflows_no_stack() {
    let deep = |open: &str, close: &str| [open.repeat(200_000), close.repeat(200_000)].concat();
    assert_eq!(items(&deep("[", "]")).unwrap().len(), 1);
    assert!(items(&deep("[", "}")).is_err());
    assert!(fields(&[&"{\"a\":".repeat(200_000), "1", &"}".repeat(200_000)].concat()).is_ok());
}

/// What `serde_json` makes of the same text.
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod oracle {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// Near-JSON: pieces in any order, so that both verdicts are frequent.
    fn near_json() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", " ", "\n", "\"a\"", "\"b\":", "\"a\":1", "\"", "\\", "\\u00e9", "\\ud83d",
            "\\ude00", "\\n", "\u{1}", "é", "😀", "0", "1", "-", "12", ".5", "e3", "E-1", "true", "false", "null",
            "nul",
        ]);
        prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
    }

    /// JSON, of which one byte may be lost.
    fn damaged_json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,2})?([eE][+-]?[0-9]{1,2})?",
            prop::sample::select(vec!["true", "false", "null"]).prop_map(String::from),
            any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
            "\"(\\\\u[0-9a-fA-F]{4}|[a-z\u{e9}]){0,6}\"",
        ];
        let tree = leaf.prop_recursive(4, 24, 4, |inner| {
            let name = any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap());
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|items| ["[", &items.join(" ,"), "]"].concat()),
                prop::collection::vec((name, inner), 0..4).prop_map(|fields| {
                    let fields: Vec<_> = fields.iter().map(|(name, value)| [name, " : ", value].concat()).collect();
                    ["{", &fields.join(","), " }"].concat()
                }),
            ]
        });
        (tree, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(json, lost, damage)| {
            let lost = lost.index(json.chars().count());
            json.chars().enumerate().filter(|(at, _)| !damage || *at != lost).map(|(_, c)| c).collect()
        })
    }

    fn check(json: &str) {
        let ours = items(json).ok().map(|items| items.iter().map(|item| item.get()).collect::<Vec<_>>());
        let theirs: Option<Vec<&RawValue>> = serde_json::from_str(json).ok();
        assert_eq!(ours, theirs.map(|items| items.iter().map(|item| item.get()).collect()), "{json}");

        let theirs: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(json).ok();
        let ours = fields(json).ok();
        assert_eq!(ours.is_some(), theirs.is_some(), "{json}");
        for (name, value) in theirs.iter().flatten() {
            assert_eq!(ours.as_ref().and_then(|ours| ours.field(name)).map(Raw::get), Some(value.get()), "{json}");
        }

        let theirs: Option<&RawValue> = serde_json::from_str(json).ok();
        let mut scanner = Scanner::new(json);
        let ours = scanner.value().filter(|_| scanner.end().is_some());
        assert_eq!(ours, theirs.map(RawValue::get), "{json}");
        if let Some(ours) = ours {
            assert_eq!(text(Raw(ours)).map(Cow::into_owned), serde_json::from_str(ours).ok(), "{json}");
            assert_eq!(uint(Raw(ours)), serde_json::from_str(ours).ok().filter(|_| ours != "-0"), "{json}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn near_json_is_read_as_serde_json_reads_it(json in near_json()) {
            check(&json);
        }

        #[test]
        fn json_is_read_as_serde_json_reads_it(json in damaged_json()) {
            check(&json);
        }

        #[test]
        fn long_texts_are_read_as_serde_json_reads_them(text: String) {
            check(&serde_json::to_string(&text).unwrap());
            check(&["\"", &text, "\""].concat());
        }
    }
}

#[test]
fn an_object_is_read_again_by_the_places_of_its_fields() {
    let text = r#" {"a" : 1, "b":[{"c":"x"}], "a":"ä" } "#;
    let read = fields(text).unwrap();
    let places = Places::of(&read, text).unwrap();
    let again = places.fields(text).unwrap();
    assert_eq!(again.iter().collect::<Vec<_>>(), read.iter().collect::<Vec<_>>());
    assert!(places.fields("{}").is_none(), "another text");
    let escaped = r#"{"\u0061":1}"#;
    assert!(Places::of(&fields(escaped).unwrap(), escaped).is_none(), "a name that does not stand there");
}

#[cfg(feature = "edge")]
#[test]
fn the_first_name_that_occurs_twice_is_told_with_its_place() {
    for (json, place) in [
        (r#"{"a":1,"b":2,"a":3}"#, Some("a")),
        (r#"{"a":1,"\u0061":3}"#, Some("a")),
        (r#"{"a":{"b":1},"c":[0,{"d":1,"e":[],"d":2}]}"#, Some("c[1].d")),
        (r#"[[{"x":1,"x":1}]]"#, Some("[0][0].x")),
        (r#"{"a":{"b":1},"b":{"a":1},"A":0}"#, None),
        (r#"[{"x":1},{"x":1}]"#, None),
        ("{}", None),
        ("7", None),
        (r#"{"a":1,"a":"#, None),
    ] {
        assert_eq!(repeated(json).as_deref(), place, "{json}");
    }
    let deep = [&"[".repeat(70), r#"{"a":1,"a":2}"#, &"]".repeat(70)].concat();
    assert_eq!(repeated(&deep), None);
}
