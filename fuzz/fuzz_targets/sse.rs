//! Bytes cut into frames, in one piece and in two: the frames keep every byte, and give the same events.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate::provider::sse::{Decoder, Frame};

type Event = (String, String);

fn read(pieces: &[&[u8]]) -> (Vec<Event>, Vec<u8>) {
    let (mut events, mut bytes) = (Vec::new(), Vec::new());
    let mut sink = |frame: Frame<'_>| {
        bytes.extend_from_slice(frame.bytes);
        if let Some(data) = frame.data {
            events.push((frame.name.into_owned(), data.into_owned()));
        }
    };
    let mut decoder = Decoder::default();
    for piece in pieces {
        decoder.push(piece, &mut sink).expect("an input is shorter than a frame may be");
    }
    decoder.finish(&mut sink);
    (events, bytes)
}

fuzz_target!(|input: (usize, &[u8])| {
    let (cut, stream) = input;
    let (left, right) = stream.split_at(cut.checked_rem(stream.len()).unwrap_or(0));
    let whole = read(&[stream]);
    assert_eq!(whole.1, stream);
    assert_eq!(read(&[left, right]), whole);
});
