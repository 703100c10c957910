use proptest::prelude::*;

use super::*;

const DETAILS: [&str; 4] = [
    r#"{"type":"reasoning.text","text":"h","signature":"s"}"#,
    r#"{"type":"reasoning.text","signature":"s"}"#,
    r#"{"type":"reasoning.encrypted","data":"E"}"#,
    r#"{"type":"reasoning.encrypted","data":"E","format":"other"}"#,
];

fn piece() -> impl Strategy<Value = Delta<'static>> {
    let index = 0u32..4;
    prop_oneof![
        Just(text("a")),
        Just(reasoning("h")),
        (0usize..4).prop_map(|which| detail(DETAILS[which])),
        index.clone().prop_map(|index| call(index, "", "f")),
        index.prop_map(|index| arguments(index, "1")),
        Just(Delta::Finish { choice: 0, reason: Finish::Stop }),
        Just(Delta::Usage { usage: Usage { input: 3, output: 2, ..Usage::default() }, cost: None }),
        Just(Delta::Text { choice: 1, text: Escaped::trusted("other") }),
        Just(Delta::Unmapped("audio")),
    ]
}

proptest! {
    /// Whatever order other dialects' pieces come in: the events keep the API's order, and every call
    /// that began is in them once.
    #[test]
    fn keeps_the_order_of_the_api(mut pieces in proptest::collection::vec(piece(), 0..24)) {
        pieces.push(Delta::End);
        let events = write(&pieces);
        let (mut indices, mut open) = (0u64.., None);
        let last = events.len().saturating_sub(1);
        for (place, (name, data)) in events.iter().enumerate() {
            let data: serde_json::Value = serde_json::from_str(data).unwrap();
            let index = data["index"].as_u64();
            match name.as_str() {
                "message_start" => prop_assert_eq!(place, 0),
                "content_block_start" => {
                    prop_assert_eq!((open, index), (None, indices.next()));
                    open = index;
                }
                "content_block_delta" => prop_assert_eq!(index, open),
                "content_block_stop" => {
                    prop_assert_eq!(index, open);
                    open = None;
                }
                "message_delta" => prop_assert_eq!((place, open), (last.saturating_sub(1), None)),
                other => prop_assert_eq!((other, place), ("message_stop", last)),
            }
        }
        let mut begun: Vec<u32> = Vec::new();
        let mut whole = String::new();
        for piece in &pieces {
            match piece {
                Delta::ToolCall { index, .. } if !begun.contains(index) => begun.push(*index),
                Delta::Text { choice: 0, text } => whole.push_str(text.get()),
                _ => {}
            }
        }
        let (again, finished) = read(&events.iter().map(|(_, data)| data.as_str()).collect::<Vec<_>>()).unwrap();
        prop_assert!(finished);
        let choice = again.choices.first().cloned().unwrap_or_default();
        prop_assert_eq!(choice.calls.len(), begun.len());
        prop_assert_eq!(choice.text, whole);
    }
}
