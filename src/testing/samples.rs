//! One answer in every dialect, whole and as a stream, for tests that go through all of them.

use super::Sent;
use crate::chat::Dialect;

/// The answer: the text `Hello world`, 1,000 tokens in, 500 out.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The events before the first output.
    pub begin: &'static [&'static str],
    /// Two pieces of text: `Hello`, ` world`.
    pub text: [&'static str; 2],
    /// What follows the text up to the end.
    pub end: &'static [&'static str],
    /// The event with which a provider says that it failed.
    pub failed: &'static str,
    /// The answer in one piece.
    pub whole: &'static str,
}

impl Sample {
    /// The one of this dialect.
    #[must_use]
    pub const fn of(dialect: Dialect) -> &'static Self {
        match dialect {
            Dialect::Chat => &CHAT,
            Dialect::Responses => &RESPONSES,
            Dialect::Anthropic => &ANTHROPIC,
            Dialect::Google => &GOOGLE,
        }
    }

    /// Every event in order.
    #[must_use]
    pub fn events(&self) -> Vec<&'static str> {
        [self.begin, &self.text, self.end].concat()
    }
}

/// The dialect of a request that was sent, and whether it asks for a stream.
#[must_use]
pub fn asked(sent: &Sent) -> (Dialect, bool) {
    let path = sent.url.split('?').next().unwrap_or("");
    let streams = || sent.body.contains("\"stream\":true");
    if path.ends_with("/messages") {
        (Dialect::Anthropic, streams())
    } else if path.ends_with("/responses") {
        (Dialect::Responses, streams())
    } else if path.ends_with("enerateContent") {
        (Dialect::Google, path.ends_with(":streamGenerateContent"))
    } else {
        (Dialect::Chat, streams())
    }
}

const CHAT: Sample = Sample {
    begin: &[
        ": a comment\n\n",
        "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n",
    ],
    text: [
        "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"},\"finish_reason\":null}]}\n\n",
        "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" world\"},\"finish_reason\":null}]}\n\n",
    ],
    end: &[
        "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":500,\"total_tokens\":1500}}\n\n",
        "data: [DONE]\n\n",
    ],
    failed: "data: {\"error\":{\"message\":\"Overloaded\",\"code\":529}}\n\n",
    whole: r#"{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello world","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500}}"#,
};

const RESPONSES: Sample = Sample {
    begin: &[
        "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r1\",\"object\":\"response\",\"created_at\":1,\"status\":\"in_progress\",\"model\":\"m\",\"output\":[]}}\n\n",
        "event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"sequence_number\":1,\"output_index\":0,\"item\":{\"id\":\"m1\",\"type\":\"message\",\"status\":\"in_progress\",\"role\":\"assistant\",\"content\":[]}}\n\n",
        "event: response.content_part.added\ndata: {\"type\":\"response.content_part.added\",\"sequence_number\":2,\"item_id\":\"m1\",\"output_index\":0,\"content_index\":0,\"part\":{\"type\":\"output_text\",\"text\":\"\",\"annotations\":[]}}\n\n",
    ],
    text: [
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":3,\"item_id\":\"m1\",\"output_index\":0,\"content_index\":0,\"delta\":\"Hello\"}\n\n",
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":4,\"item_id\":\"m1\",\"output_index\":0,\"content_index\":0,\"delta\":\" world\"}\n\n",
    ],
    end: &[
        "event: response.output_text.done\ndata: {\"type\":\"response.output_text.done\",\"sequence_number\":5,\"item_id\":\"m1\",\"output_index\":0,\"content_index\":0,\"text\":\"Hello world\"}\n\n",
        "event: response.output_item.done\ndata: {\"type\":\"response.output_item.done\",\"sequence_number\":6,\"output_index\":0,\"item\":{\"id\":\"m1\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"Hello world\",\"annotations\":[]}]}}\n\n",
        "event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":7,\"response\":{\"id\":\"r1\",\"object\":\"response\",\"created_at\":1,\"status\":\"completed\",\"model\":\"m\",\"output\":[{\"id\":\"m1\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"Hello world\",\"annotations\":[]}]}],\"usage\":{\"input_tokens\":1000,\"output_tokens\":500,\"total_tokens\":1500}}}\n\n",
    ],
    failed: "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"Overloaded\",\"param\":null,\"sequence_number\":9}\n\n",
    whole: r#"{"id":"r1","object":"response","created_at":1,"status":"completed","model":"m","error":null,"incomplete_details":null,"output":[{"id":"m1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hello world","annotations":[]}]}],"usage":{"input_tokens":1000,"output_tokens":500,"total_tokens":1500}}"#,
};

const ANTHROPIC: Sample = Sample {
    begin: &[
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"a1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":1000,\"output_tokens\":1}}}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
        "event: ping\ndata: {\"type\":\"ping\"}\n\n",
    ],
    text: [
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" world\"}}\n\n",
    ],
    end: &[
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":500}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    ],
    failed: "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
    whole: r#"{"id":"a1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hello world"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1000,"output_tokens":500}}"#,
};

const GOOGLE: Sample = Sample {
    begin: &[],
    text: [
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hello\"}],\"role\":\"model\"},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":1000,\"candidatesTokenCount\":1,\"totalTokenCount\":1001},\"modelVersion\":\"m\",\"responseId\":\"g1\"}\n\n",
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\" world\"}],\"role\":\"model\"},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":1000,\"candidatesTokenCount\":2,\"totalTokenCount\":1002},\"modelVersion\":\"m\",\"responseId\":\"g1\"}\n\n",
    ],
    end: &[
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":1000,\"candidatesTokenCount\":500,\"totalTokenCount\":1500},\"modelVersion\":\"m\",\"responseId\":\"g1\"}\n\n",
    ],
    failed: "data: {\"error\":{\"code\":503,\"message\":\"The model is overloaded.\",\"status\":\"UNAVAILABLE\"}}\n\n",
    whole: r#"{"candidates":[{"content":{"parts":[{"text":"Hello world"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":1000,"candidatesTokenCount":500,"totalTokenCount":1500},"modelVersion":"m","responseId":"g1"}"#,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Completion, Usage};
    use crate::provider::{StreamDecoder, decode_body, sse};

    #[test]
    fn they_all_say_the_same() {
        for dialect in Dialect::ALL {
            let sample = Sample::of(dialect);
            let (mut streamed, mut whole) = (Completion::default(), Completion::default());
            let mut decoder = StreamDecoder::new(dialect, "x");
            let mut frames = sse::Decoder::default();
            let mut read = |frame: sse::Frame<'_>| {
                if let Some(data) = &frame.data {
                    decoder.event(&frame.name, data, &mut |delta| streamed.push(&delta)).unwrap();
                }
            };
            frames.push(sample.events().concat().as_bytes(), &mut read).unwrap();
            assert!(decoder.is_finished(), "{}", dialect.as_str());
            decode_body(dialect, "x", sample.whole, &mut |delta| whole.push(&delta)).unwrap();
            assert_eq!(streamed, whole);
            assert_eq!(whole.choices[0].text, "Hello world");
            assert_eq!(whole.usage, Some(Usage { input: 1_000, output: 500, ..Usage::default() }));
        }
    }
}
