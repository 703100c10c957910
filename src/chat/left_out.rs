//! What of an answer its caller's dialect has no place for.

/// The names that are told, one bit each.
const NAMES: [&str; 6] = ["citations", "logprobs", "server_tools", "custom_tools", "stop_sequence", "other"];

/// What a translation left out, of what [`Delta::Unmapped`](super::Delta::Unmapped) names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LeftOut(u8);

impl LeftOut {
    /// Takes one more in.
    pub fn add(&mut self, what: &str) {
        let place = match what {
            "annotations" | "citations" => 0,
            "logprobs" => 1,
            "tool_calls" | "custom_tool_call" => 3,
            "stop_sequence" => 4,
            // What the provider ran by itself, as each dialect calls that.
            "server tools" | "server_tool_use" | "server_tool_result" => 2,
            other if other.ends_with("_call") || other.starts_with("mcp_") => 2,
            _ => 5,
        };
        self.0 |= 1 << place;
    }

    /// Appends a field with the names, if there are any.
    pub fn push_json(self, out: &mut String) {
        let mut before = ",\"leftOut\":[\"";
        for (_, name) in NAMES.iter().enumerate().filter(|(place, _)| self.0 & (1 << place) != 0) {
            out.push_str(before);
            out.push_str(name);
            before = "\",\"";
        }
        if self.0 != 0 {
            out.push_str("\"]");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(list: &[&str]) -> String {
        let (mut own, mut out) = (LeftOut::default(), String::new());
        list.iter().for_each(|what| own.add(what));
        own.push_json(&mut out);
        out
    }

    #[test]
    fn names_are_told_once_each() {
        assert_eq!(told(&[]), "");
        assert_eq!(told(&["annotations", "citations"]), r#","leftOut":["citations"]"#);
        for ran in ["server tools", "server_tool_use", "server_tool_result", "web_search_call", "mcp_list_tools"] {
            assert_eq!(told(&[ran]), r#","leftOut":["server_tools"]"#, "{ran}");
        }
        for custom in ["tool_calls", "custom_tool_call"] {
            assert_eq!(told(&[custom]), r#","leftOut":["custom_tools"]"#, "{custom}");
        }
        let all = ["some_day", "stop_sequence", "logprobs", "output"];
        assert_eq!(told(&all), r#","leftOut":["logprobs","stop_sequence","other"]"#);
    }
}
