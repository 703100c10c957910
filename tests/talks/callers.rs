//! Apps in each dialect: what they send, and what they keep of an answer.

use serde_json::{Value, json};
use tidegate::chat::Dialect;

use super::accepts::{list, word};

/// How an app asks for reasoning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Thinking {
    None,
    Effort,
    Budget,
}

pub(super) struct Caller {
    pub dialect: Dialect,
    /// Whether it keeps all of an answer, or what every dialect's types had from the beginning.
    pub keeps: bool,
    pub thinking: Thinking,
    history: Vec<Value>,
}

impl Caller {
    pub(super) fn new(dialect: Dialect, keeps: bool, thinking: Thinking) -> Self {
        Self { dialect, keeps, thinking, history: Vec::new() }
    }

    pub(super) fn ask(&mut self, text: &str) {
        let (name, content) = match self.dialect {
            Dialect::Google => ("parts", json!([{"text": text}])),
            Dialect::Chat | Dialect::Responses | Dialect::Anthropic => ("content", json!(text)),
        };
        self.history.push(json!({"role": "user", name: content}));
    }

    pub(super) fn request(&self) -> Value {
        let schema = json!({"type": "object", "properties": {"at": {"type": "integer"}}});
        let history = &self.history;
        let mut body = match self.dialect {
            Dialect::Chat => json!({"model": "m", "messages": history,
                "tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]}),
            Dialect::Responses => {
                json!({"model": "m", "input": history, "store": false, "include": ["reasoning.encrypted_content"],
                "tools": [{"type": "function", "name": "f", "parameters": schema, "strict": false}]})
            }
            Dialect::Anthropic => json!({"model": "m", "max_tokens": 5000, "messages": history,
                "tools": [{"name": "f", "input_schema": schema}]}),
            Dialect::Google => json!({"contents": history,
                "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": schema}]}]}),
        };
        match (self.dialect, self.thinking) {
            (_, Thinking::None) => {}
            (Dialect::Chat, _) => body["reasoning_effort"] = json!("low"),
            (Dialect::Responses, _) => body["reasoning"] = json!({"effort": "low"}),
            (Dialect::Anthropic, Thinking::Budget) => {
                body["thinking"] = json!({"type": "enabled", "budget_tokens": 1024});
            }
            (Dialect::Anthropic, _) => body["thinking"] = json!({"type": "adaptive"}),
            (Dialect::Google, _) => body["generationConfig"] = json!({"thinkingConfig": {"thinkingBudget": 1024}}),
        }
        body
    }

    /// Takes an answer in its dialect in; whether tools are to be run, whose results are then there, in any order.
    pub(super) fn hear(&mut self, answer: &Value, backwards: bool) -> bool {
        let before = self.history.len();
        let mut results: Vec<Value> = Vec::new();
        match self.dialect {
            Dialect::Chat => {
                let mut message = answer["choices"][0]["message"].clone();
                if !self.keeps {
                    let calls = list(&message, "tool_calls").iter();
                    let calls =
                        calls.map(|call| json!({"id": call["id"], "type": "function", "function": call["function"]}));
                    let calls: Vec<_> = calls.collect();
                    message = json!({"role": "assistant", "content": message["content"]});
                    if !calls.is_empty() {
                        message["tool_calls"] = calls.into();
                    }
                }
                let calls = list(&message, "tool_calls").iter();
                results.extend(calls.map(|call| json!({"role": "tool", "tool_call_id": call["id"], "content": "42"})));
                self.history.push(message);
            }
            Dialect::Responses => {
                let output = list(answer, "output").iter().filter(|item| self.keeps || item["type"] != "reasoning");
                for item in output.cloned().collect::<Vec<_>>() {
                    if item["type"] == "function_call" {
                        results
                            .push(json!({"type": "function_call_output", "call_id": item["call_id"], "output": "42"}));
                    }
                    self.history.push(item);
                }
            }
            Dialect::Anthropic => {
                let content = list(answer, "content")
                    .iter()
                    .filter(|block| self.keeps || !word(block, "type").contains("thinking"));
                let content: Vec<_> = content.cloned().collect();
                let calls = content.iter().filter(|block| block["type"] == "tool_use");
                results.extend(
                    calls.map(|call| json!({"type": "tool_result", "tool_use_id": call["id"], "content": "42"})),
                );
                self.history.push(json!({"role": "assistant", "content": content}));
            }
            Dialect::Google => {
                let mut content = answer["candidates"][0]["content"].clone();
                if !self.keeps {
                    let parts = content["parts"].as_array_mut().unwrap();
                    parts.retain(|part| part["thought"] != true);
                }
                for part in list(&content, "parts") {
                    let Some(call) = part.get("functionCall") else { continue };
                    let mut response = json!({"name": call["name"], "response": {"output": 42}});
                    if let Some(id) = call.get("id") {
                        response["id"] = id.clone();
                    }
                    results.push(json!({"functionResponse": response}));
                }
                self.history.push(content);
            }
        }
        assert!(self.history.len() > before || !self.keeps, "nothing to keep: {answer}");
        // Gemini's results without an id are told apart by their order.
        if backwards && self.dialect != Dialect::Google {
            results.reverse();
        }
        let called = !results.is_empty();
        match self.dialect {
            Dialect::Chat | Dialect::Responses => self.history.extend(results),
            Dialect::Anthropic if called => self.history.push(json!({"role": "user", "content": results})),
            Dialect::Google if called => self.history.push(json!({"role": "user", "parts": results})),
            Dialect::Anthropic | Dialect::Google => {}
        }
        called
    }
}
