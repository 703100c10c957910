//! Chats through JavaScript's own `fetch`, or what stands in for it.

use js_sys::{Function, Object, Promise};
use tidegate::wasm::Core;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{get, js, number, text};

const GROQ_KEY: &str = "gsk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP";
const ROUTER_KEY: &str = "sk-or-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What every script below can use.
const PRELUDE: &str = r#"
    const ask = (text) => JSON.stringify({ messages: [{ role: 'user', content: text }] });
    const chat = async (gate, text, signal) => {
      const begun = gate.chat(ask(text), undefined, 0, undefined, undefined, signal);
      const settled = (resolve, reject) => Object.assign(begun, { resolve, reject });
      const body = typeof begun === 'string' ? begun : await new Promise(settled);
      return [body, JSON.stringify(JSON.parse(body).tidegate)];
    };
    const answer = (text) => new Response(JSON.stringify({
      id: 'x', object: 'chat.completion', created: 1, model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 5, completion_tokens: 2 },
    }));
    const caught = (promise) => promise.then(() => ({ code: 'none' }), (error) => error);
"#;

/// Opens a gate with both keys whose `fetch` (and further hooks) are in `hooks`, lets `script` use it, and
/// gives back what that resolves to.
async fn run(hooks: &str, script: &str) -> JsValue {
    let body = [PRELUDE, "const hooks = { runtime: 'web', ...", hooks, " };\nreturn [hooks, ", script, "];"].concat();
    let made = Function::new_no_args(&body).call0(&JsValue::UNDEFINED).unwrap();
    let hooks = get(&made, "0");
    let gate = Core::new(js("{ retry: { maxRetries: 0 } }"), hooks.clone()).unwrap();
    gate.set_key("groq", GROQ_KEY.into()).unwrap();
    gate.set_key("openrouter", ROUTER_KEY.into()).unwrap();
    let script: Function = get(&made, "1").unchecked_into();
    let ended = script.call2(&JsValue::UNDEFINED, &gate.into(), &hooks).unwrap();
    match JsFuture::from(Promise::resolve(&ended)).await {
        Ok(value) => value,
        Err(error) => panic!("{error:?} {}", text(&error, "code")),
    }
}

#[wasm_bindgen_test]
async fn a_request_carries_its_own_providers_key_and_nothing_of_the_page() {
    let hooks = r#"{
      seen: [],
      fetch: async function (url, init) {
        hooks.seen.push({ url, ...init });
        return url.includes('groq') ? new Response('', { status: 500 }) : answer('Hello.');
      },
    }"#;
    let script = r#"async (gate, { seen }) => {
      const [body, meta] = await chat(gate, 'hi');
      return { body, meta: JSON.parse(meta), seen };
    }"#;
    let ended = run(hooks, script).await;
    assert!(text(&ended, "body").contains("Hello."));
    assert_eq!(text(&get(&ended, "meta"), "target"), "openrouter/qwen/qwen3-coder:free");
    let seen = get(&ended, "seen");
    assert_eq!(number(&seen, "length"), 2.0);
    let expected = [("https://api.groq.com/", GROQ_KEY), ("https://openrouter.ai/", ROUTER_KEY)];
    for (index, (origin, key)) in ["0", "1"].into_iter().zip(expected) {
        let request = get(&seen, index);
        assert!(text(&request, "url").starts_with(origin));
        let headers = get(&request, "headers");
        assert_eq!(text(&headers, "authorization"), ["Bearer ", key].concat());
        assert_eq!(Object::keys(headers.unchecked_ref::<Object>()).length(), 2, "and the content type");
        for (name, value) in [
            ("method", "POST"),
            ("redirect", "manual"),
            ("credentials", "omit"),
            ("referrerPolicy", "no-referrer"),
            ("cache", "no-store"),
        ] {
            assert_eq!(text(&request, name), value, "{name}");
        }
        assert!(get(&request, "signal").is_instance_of::<web_sys::AbortSignal>());
        let body = text(&request, "body");
        assert!(!body.contains("gsk_") && !body.contains("sk-or") && body.contains("max_"), "{body}");
    }
}

#[wasm_bindgen_test]
async fn an_abort_reaches_the_fetch() {
    let hooks = r#"{
      signals: [],
      fetch: (url, { signal }) => new Promise((_, fail) => {
        hooks.signals.push(signal);
        signal.addEventListener('abort', () => fail(signal.reason));
      }),
    }"#;
    let script = r#"async (gate, { signals }) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 20);
      const first = await caught(chat(gate, 'hi', controller.signal));
      const second = await caught(chat(gate, 'ho', AbortSignal.abort()));
      return { first, second, sent: signals.length, aborted: signals[0].aborted, status: await gate.status() };
    }"#;
    let ended = run(hooks, script).await;
    assert_eq!(text(&get(&ended, "first"), "code"), "aborted");
    assert_eq!(text(&get(&ended, "second"), "code"), "aborted");
    assert_eq!((number(&ended, "sent"), get(&ended, "aborted")), (1.0, JsValue::TRUE), "the second was never sent");
    let status = get(&ended, "status");
    assert_eq!((number(&status, "inFlight"), number(&get(&status, "budget"), "reservedNanoUsd")), (0.0, 0.0));
}

#[wasm_bindgen_test]
async fn no_redirect_is_followed() {
    for response in [
        "new Response(null, { status: 302, headers: { location: 'https://evil.example' } })",
        "new Response(null, { status: 308 })",
        // What a browser gives for `redirect: 'manual'`; pages cannot make one themselves.
        "({ status: 0, type: 'opaqueredirect', headers: new Headers(), arrayBuffer: async () => new ArrayBuffer(0) })",
    ] {
        let hooks = format!("{{ calls: [], fetch: async (url) => {{ hooks.calls.push(url); return {response}; }} }}");
        let script = "async (gate, { calls }) => ({ error: await caught(chat(gate, 'hi')), calls })";
        let ended = run(&hooks, script).await;
        let error = get(&ended, "error");
        assert_eq!((text(&error, "code").as_str(), number(&error, "status")), ("upstream_rejected", 502.0));
        assert_eq!(number(&get(&ended, "calls"), "length"), 1.0, "no other target either");
    }
}

#[wasm_bindgen_test]
async fn an_error_is_plain_data_with_every_attempt() {
    let hooks = r#"{
      fetch: async (url) => url.includes('groq')
        ? new Response('<html>', { status: 503 })
        : new Response('{"error":{"message":"No endpoints found for qwen","code":404}}', { status: 404 }),
    }"#;
    let script = r#"async (gate) => {
      const error = await caught(chat(gate, 'hi'));
      return { plain: Object.getPrototypeOf(error) === Object.prototype, copy: structuredClone(error) };
    }"#;
    let ended = run(hooks, script).await;
    assert_eq!(get(&ended, "plain"), JsValue::TRUE);
    let error = get(&ended, "copy");
    assert_eq!((text(&error, "code").as_str(), text(&error, "provider").as_str()), ("upstream_failed", "groq"));
    assert_eq!((number(&error, "upstreamStatus"), get(&error, "shouldRetry")), (503.0, JsValue::FALSE));
    assert!(!text(&error, "message").is_empty());
    let attempts = get(&error, "attempts");
    let second = get(&attempts, "1");
    assert_eq!((number(&attempts, "length"), text(&second, "code").as_str()), (2.0, "model_not_found"));
    assert_eq!((number(&second, "attempt"), number(&second, "status")), (2.0, 404.0));
}

#[wasm_bindgen_test]
async fn whatever_fetch_does_the_error_has_a_code() {
    for (fetch, code) in [
        ("async () => { throw new TypeError('Failed to fetch'); }", "upstream_failed"),
        ("() => { throw new Error('not even a promise'); }", "upstream_failed"),
        ("() => undefined", "upstream_failed"),
        ("async () => null", "upstream_failed"),
        ("async () => ({})", "upstream_failed"),
        ("async () => new Response('<html>')", "upstream_malformed"),
        ("async () => new Response(new Uint8Array([255, 254, 123]))", "upstream_malformed"),
        ("() => answer('without a promise')", "none"),
    ] {
        let hooks = format!("{{ fetch: {fetch} }}");
        let error = run(&hooks, "async (gate) => caught(chat(gate, 'hi'))").await;
        assert_eq!(text(&error, "code"), code, "{fetch}");
    }
}

#[wasm_bindgen_test]
async fn without_a_ledger_nothing_is_sent() {
    for ledger in [
        "() => { throw new Error('quota'); }",
        "async () => { throw new Error('quota'); }",
        "async () => undefined",
        "async () => new Uint8Array([9, 9, 9])",
    ] {
        let hooks = format!("{{ calls: 0, ledger: {ledger}, fetch: async () => {{ hooks.calls += 1; }} }}");
        let script = "async (gate, hooks) => ({ error: await caught(chat(gate, 'hi')), calls: hooks.calls })";
        let ended = run(&hooks, script).await;
        assert_eq!(text(&get(&ended, "error"), "code"), "internal", "{ledger}");
        assert_eq!(number(&ended, "calls"), 0.0);
    }
}

#[wasm_bindgen_test]
async fn calls_overlap_on_one_gate() {
    // Every answer is held until all requests are in; meanwhile the gate is asked this and that.
    let hooks = r#"{
      waiting: [],
      fetch: () => new Promise((done) => {
        hooks.waiting.push(done);
        if (hooks.waiting.length === 20) for (const done of hooks.waiting) done(answer('ok'));
      }),
    }"#;
    let script = r#"async (gate, { waiting }) => {
      const asked = Array.from({ length: 20 }, (_, index) => chat(gate, `question ${index}`));
      const meanwhile = await gate.status();
      gate.listen(true);
      gate.records();
      const answers = await Promise.all(asked);
      const replays = await Promise.all(gate.records().map((record) => gate.replay(record)));
      const same = replays.filter((replay) => replay.same).length;
      return { inFlight: meanwhile.inFlight, answers: answers.length, sent: waiting.length, same };
    }"#;
    let ended = run(hooks, script).await;
    let figures = ["inFlight", "answers", "sent", "same"].map(|name| number(&ended, name));
    assert_eq!(figures, [20.0; 4]);
}

#[wasm_bindgen_test]
async fn equal_calls_at_once_are_sent_once() {
    let hooks = "{ calls: 0, fetch: async () => { hooks.calls += 1; return answer('ok'); } }";
    let script = r#"async (gate, hooks) => {
      const answers = await Promise.all(Array.from({ length: 5 }, () => chat(gate, 'the same')));
      const later = await chat(gate, 'the same');
      const states = [...answers, later].map(([, meta]) => JSON.parse(meta).cache).sort();
      return { calls: hooks.calls, states: states.join(' ') };
    }"#;
    let ended = run(hooks, script).await;
    assert_eq!(number(&ended, "calls"), 1.0);
    assert_eq!(text(&ended, "states"), "hit joined joined joined joined miss");
}

#[wasm_bindgen_test]
async fn a_listener_that_throws_stops_nothing() {
    let hooks = r#"{
      events: [],
      emit: (name, event) => { hooks.events.push(name + JSON.stringify(event)); throw new Error('listener'); },
      fetch: async () => answer('ok'),
    }"#;
    let script = r#"async (gate, { events }) => {
      await chat(gate, 'unheard');
      const before = events.length;
      gate.listen(true);
      await chat(gate, 'heard');
      return { before, events: events.join('\n') };
    }"#;
    let ended = run(hooks, script).await;
    assert_eq!(number(&ended, "before"), 0.0);
    let events = text(&ended, "events");
    assert!(events.contains("attempt-start{") && events.contains("request-end{"), "{events}");
    assert!(!events.contains("heard") && !events.contains("gsk_") && !events.contains("sk-or"), "{events}");
}
