//! Tools in namespaces, in the conversation, and of other kinds than functions.

use super::*;

#[test]
fn what_the_provider_runs_has_no_bounded_price() {
    for tool in [
        r#"{"type":"web_search","external_web_access":true}"#,
        r#"{"type":"code_interpreter","container":{"type":"auto"}}"#,
        r#"{"type":"mcp","server_label":"s"}"#,
        r#"{"type":"tool_search"}"#,
        r#"{"type":"tool_search","execution":"server"}"#,
        r#"{"type":"shell","environment":{"type":"container_auto"}}"#,
        r#"{"type":"shell"}"#,
        r#"{"type":"brand_new"}"#,
    ] {
        let given = |before: &str| decode_request(&format!(r#"{{"input":"x","tools":[{before}{tool}]}}"#));
        assert_eq!(refused_as(Code::UnpricedInput, given("")), "tools[0].type", "{tool}");
        let one = r#"{"type":"function","name":"f"},"#;
        assert_eq!(refused_as(Code::UnpricedInput, given(one)), "tools[1].type", "{tool}");
        let grouped = format!(r#"{{"input":"x","tools":[{{"type":"namespace","name":"n","tools":[{tool}]}}]}}"#);
        assert_eq!(refused_as(Code::UnpricedInput, decode_request(&grouped)), "tools[0].tools[0].type", "{tool}");
        let later = format!(r#"{{"input":[{{"type":"additional_tools","role":"developer","tools":[{tool}]}}]}}"#);
        assert_eq!(refused_as(Code::UnpricedInput, decode_request(&later)), "input[0].tools[0].type", "{tool}");
    }
}

#[test]
fn tools_in_a_namespace_have_one_name() {
    let body = r#"{"tools":[{"type":"function","name":"g"},
        {"type":"namespace","name":"mcp__a","description":"Of \"A\".","tools":[{"type":"function","name":"f","description":"Does.","parameters":{},"strict":false,"defer_loading":true},{"type":"function","name":"h"}]}],
        "tool_choice":{"type":"function","name":"f","namespace":"mcp__a"},
        "input":[{"role":"user","content":"x"},{"type":"function_call","call_id":"c","name":"f","namespace":"mcp__a","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"4"}]}"#;
    assert_eq!(
        decoded(body),
        concat!(
            r#"{"tool_choice":{"type":"function","function":{"name":"mcp__a-__-f"}},"#,
            r#""tools":[{"type":"function","function":{"name":"g"}},"#,
            r#"{"type":"function","function":{"name":"mcp__a-__-f","description":"Of \"A\".\n\nDoes.","parameters":{},"strict":false}},"#,
            r#"{"type":"function","function":{"name":"mcp__a-__-h"}}],"#,
            r#""messages":[{"role":"user","content":"x"},"#,
            r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"mcp__a-__-f","arguments":"{}"}}]},"#,
            r#"{"role":"tool","tool_call_id":"c","content":"4"}]}"#
        )
    );
}

#[test]
fn tools_may_come_in_the_conversation() {
    let tools = r#"[{"type":"namespace","name":"n","tools":[{"type":"function","name":"f"}]}]"#;
    let body = format!(
        r#"{{"tools":[{{"type":"function","name":"g"}}],"input":[{{"type":"additional_tools","id":"at","role":"developer","tools":{tools}}},{{"role":"user","content":"x"}}]}}"#
    );
    assert_eq!(
        decoded(&body),
        r#"{"tools":[{"type":"function","function":{"name":"g"}},{"type":"function","function":{"name":"n-__-f"}}],"messages":[{"role":"user","content":"x"}]}"#
    );
    assert!(refused_in(&body.replace(r#",{"role":"user","content":"x"}"#, "")).starts_with("input"));
}

/// What the client runs otherwise than a function costs what it reads, so it may go to OpenAI; nobody else can read it.
#[test]
fn what_only_openai_reads_goes_to_nobody_else() {
    let outgoing =
        |provider| Outgoing { provider, model: "m", max_output_tokens: 64, stream: false, relayed: false, most: None };
    let tool = r#"{"input":"x","tools":[{"type":"custom","name":"apply_patch","format":{"type":"grammar","syntax":"lark","definition":"start: \"a\""}}]}"#;
    let search =
        r#"{"input":"x","tools":[{"type":"tool_search","execution":"client","description":"d","parameters":{}}]}"#;
    let shell = r#"{"input":"x","tools":[{"type":"shell","environment":{"type":"local"}},{"type":"local_shell"},{"type":"apply_patch"}]}"#;
    let call = r#"{"input":[{"role":"user","content":"x"},{"type":"custom_tool_call","call_id":"c","name":"exec","namespace":"functions","input":"a \"b\""},{"type":"custom_tool_call_output","call_id":"c","output":[{"type":"input_text","text":"4"}]}]}"#;
    let found = r#"{"input":[{"role":"user","content":"x"},{"type":"tool_search_call","call_id":"c","execution":"client","arguments":{"query":"q"}},{"type":"tool_search_output","call_id":"c","tools":[]}]}"#;
    for (body, field) in [
        (tool, "tools"),
        (search, "tools"),
        (shell, "tools"),
        (call, "messages[1].tool_calls"),
        (found, "messages[1].tool_calls"),
    ] {
        let neutral = decoded(body);
        let fields = json::fields(&neutral).unwrap();
        for provider in ["openai", "groq", "openrouter", "custom"] {
            let chat = crate::provider::encode_request(crate::chat::Dialect::Chat, &fields, &outgoing(provider));
            assert_eq!(refused(chat), field, "{provider}: {body}");
        }
        for dialect in [crate::chat::Dialect::Anthropic, crate::chat::Dialect::Google] {
            let other = crate::provider::encode_request(dialect, &fields, &outgoing("x"));
            assert!(!refused(other).is_empty(), "{dialect:?}: {body}");
        }
        let own = json::fields(body).unwrap();
        let kept = json::fields(body).unwrap().iter().next().unwrap().1.get().to_owned();
        assert!(rewrite_request(&own, &outgoing("openai")).contains(&kept), "{body}");
    }
}

/// What goes on as it is says one thing to every reader.
#[test]
fn names_are_in_small_letters_where_nothing_else_is_looked_at() {
    for (body, field) in [
        (r#"{"input":"x","tools":[{"type":"custom","name":"c","Type":"web_search"}]}"#, "tools[0].Type"),
        (
            r#"{"input":"x","tools":[{"type":"tool_search","execution":"client","EXECUTION":"server"}]}"#,
            "tools[0].EXECUTION",
        ),
        (r#"{"input":[{"type":"shell_call","call_id":"c","Type":"item_reference"}]}"#, "input[0].Type"),
        (r#"{"input":[{"type":"tool_search_output","call_id":"c","Tools":[]}]}"#, "input[0].Tools"),
        (r#"{"input":"x","tools":[{"type":"function","name":"a-__-b"}]}"#, "tools[0].name"),
        (
            r#"{"input":"x","tools":[{"type":"namespace","name":"a-__-b","tools":[{"type":"function","name":"c"}]}]}"#,
            "tools[0].tools[0].name",
        ),
        (r#"{"input":[{"type":"function_call","call_id":"c","name":"a-__-b","arguments":"{}"}]}"#, "input[0].name"),
    ] {
        assert_eq!(refused_in(body), field, "{body}");
    }
    let named = |length: usize| {
        let name = "n".repeat(length);
        decode_request(&format!(r#"{{"input":"x","tools":[{{"type":"namespace","name":"{name}","tools":[]}}]}}"#))
    };
    assert!(named(128).is_ok());
    assert_eq!(refused(named(129)), "tools[0].name");
    let found = r#"{"input":[{"type":"tool_search_output","call_id":"c","tools":[{"type":"web_search"}]}]}"#;
    assert_eq!(refused_as(Code::UnpricedInput, decode_request(found)), "input[0].tools[0].type");
}
