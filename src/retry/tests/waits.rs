use std::path::PathBuf;

use super::*;

/// Headers, and the wait in milliseconds.
type Row = (&'static [(&'static str, &'static str)], Option<u128>);

fn wait(headers: &[(&str, &'static str)], body: &str) -> Option<u128> {
    ms(answer(429, headers, body).unwrap().wait)
}

#[test]
fn headers_made_for_it() {
    let rows: [Row; 16] = [
        (&[("retry-after-ms", "1500.2")], Some(1_501)),
        (&[("x-ms-retry-after-ms", "700")], Some(700)),
        (&[("retry-after", "30")], Some(30_000)),
        (&[("retry-after", "0.5")], Some(500)),
        (&[("retry-after", "0")], Some(0)),
        (&[("retry-after", "Tue, 27 Jan 2026 17:05:00 GMT")], Some(30_000)),
        (&[("retry-after", "Tuesday, 27-Jan-26 17:05:00 GMT")], Some(30_000)),
        (&[("retry-after", "Tue Jan 27 17:05:00 2026")], Some(30_000)),
        (&[("retry-after", "Tue, 27 Jan 2026 17:04:29 GMT")], None),
        (&[("retry-after", "-5")], None),
        (&[("retry-after", "NaN")], None),
        (&[("retry-after", "Infinity")], None),
        (&[("retry-after", "later")], None),
        (&[("retry-after", "99999999999999999999999999")], Some(u128::from(u64::MAX))),
        (&[("retry-after-ms", "250"), ("x-ms-retry-after-ms", "1"), ("retry-after", "9")], Some(250)),
        (&[("retry-after-ms", "-1"), ("retry-after", "9")], Some(9_000)),
    ];
    for (headers, want) in rows {
        assert_eq!(wait(headers, ""), want, "{headers:?}");
    }
}

#[test]
fn bodies() {
    let rows = [
        (r#"{"error":{"code":429,"availability":{"retry_after":17}}}"#, Some(17_000)),
        (r#"{"error":{"code":429,"availability":{"retry_after":"1.5"}}}"#, Some(1_500)),
        (r#"{"error":{"code":429,"availability":{"retry_after":null},"message":"try again in 2s"}}"#, Some(2_000)),
        (r#"{"error":{"code":429,"metadata":{"headers":{"Retry-After":"4"}}}}"#, Some(4_000)),
        (r#"{"error":{"details":[{"a":1},{"retryDelay":"34.4s"}]}}"#, Some(34_400)),
        (r#"[{"error":{"details":[{"retryDelay":"1s"}]}}]"#, Some(1_000)),
        (r#"{"error":{"details":{"retryDelay":"34.4s"}}}"#, None),
        (r#"{"error":{"details":[{"retryDelay":34}]}}"#, None),
        (r#"{"error":{"message":"Rate limit reached. Please try again in 7.66s. Visit x"}}"#, Some(7_660)),
        (r#"{"error":{"message":"Please try again in 2m59.56s."}}"#, Some(179_560)),
        (r#"{"error":{"message":"Please try again in 12ms."}}"#, Some(12)),
        (r#"{"error":{"message":"Please retry in 34.4s."}}"#, Some(34_400)),
        (r#"{"error":{"message":"Please retry after 26 seconds."}}"#, Some(26_000)),
        (r#"{"error":{"message":"Try again in a moment, or try again in 3s"}}"#, Some(3_000)),
        (r#"{"error":{"message":"Please try again in -5s"}}"#, None),
        (r#"{"error":{"message":"Provider returned error","metadata":{"raw":"... try again in 6s"}}}"#, Some(6_000)),
    ];
    for (body, want) in rows {
        assert_eq!(wait(&[], body), want, "{body}");
        assert_eq!(wait(&[("retry-after", "1")], body), Some(1_000), "headers go first: {body}");
    }
}

#[test]
fn resets_count_only_for_empty_buckets() {
    let rows: [Row; 12] = [
        (&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "7.66s")], Some(7_660)),
        (&[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "2m59.56s")], Some(179_560)),
        (&[("x-ratelimit-remaining-requests", "14"), ("x-ratelimit-reset-requests", "23h0m0s")], None),
        (&[("x-ratelimit-reset-requests", "23h0m0s")], None),
        (
            &[
                ("x-ratelimit-remaining-requests", "14"),
                ("x-ratelimit-reset-requests", "23h0m0s"),
                ("x-ratelimit-remaining-tokens", "0"),
                ("x-ratelimit-reset-tokens", "12ms"),
            ],
            Some(12),
        ),
        (
            &[
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", "6m0s"),
                ("x-ratelimit-remaining-tokens", "0"),
                ("x-ratelimit-reset-tokens", "1s"),
            ],
            Some(360_000),
        ),
        (
            &[
                ("anthropic-ratelimit-input-tokens-remaining", "0"),
                ("anthropic-ratelimit-input-tokens-reset", "2026-01-27T17:05:00Z"),
            ],
            Some(30_000),
        ),
        (
            &[
                ("anthropic-ratelimit-requests-remaining", "9"),
                ("anthropic-ratelimit-requests-reset", "2026-01-27T17:05:00Z"),
            ],
            None,
        ),
        (
            &[
                ("anthropic-ratelimit-tokens-remaining", "0"),
                ("anthropic-ratelimit-tokens-reset", "2026-01-27T17:04:00Z"),
            ],
            None,
        ),
        (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1769533480000")], Some(10_000)),
        (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1769533480")], None),
        (&[("x-ratelimit-remaining", "none"), ("x-ratelimit-reset", "1769533480000")], None),
    ];
    for (headers, want) in rows {
        assert_eq!(wait(headers, ""), want, "{headers:?}");
        assert_eq!(answer(500, headers, "").unwrap().wait, None, "only a limit has a reset: {headers:?}");
    }
    let quoted = r#"{"error":{"code":429,"metadata":{"headers":{"X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1769533480000"}}}}"#;
    assert_eq!(wait(&[], quoted), Some(10_000));
    assert_eq!(wait(&[], &quoted.replace(r#""0""#, r#""3""#)), None);
    assert_eq!(ms(answer(200, &[], quoted).unwrap().wait), Some(10_000));
}

/// A header that is read here and not kept by whoever sends would never be seen.
#[test]
fn every_header_that_is_looked_at_is_listed() {
    let asked = std::cell::RefCell::new(std::collections::BTreeSet::new());
    for empty in [true, false] {
        let lookup = |name: &str| {
            asked.borrow_mut().insert(String::from(name));
            (empty && name.contains("remaining")).then_some("0")
        };
        let _ = classify(429, &lookup, b"", NOW);
    }
    let listed = crate::retry::ANSWER_HEADERS.map(String::from).into_iter().collect();
    assert_eq!(asked.into_inner(), listed);
}

#[test]
fn headers_of_a_good_status_are_ignored() {
    let headers = [("retry-after", "8"), ("retry-after-ms", "8"), ("x-should-retry", "false")];
    let verdict = answer(200, &headers, r#"{"error":{"code":503,"message":"x"}}"#).unwrap();
    assert_eq!((verdict.wait, verdict.stop), (None, false));
    let verdict = answer(200, &headers, r#"{"error":{"code":503,"availability":{"retry_after":2}}}"#).unwrap();
    assert_eq!(ms(verdict.wait), Some(2_000));
}

/// The provider's own recording, where the shared folder lies beside the repository.
#[test]
fn recorded_limit_of_google() {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures");
    let folder = std::env::var_os("TIDEGATE_FIXTURES").map_or_else(beside, PathBuf::from);
    let Ok(body) = std::fs::read_to_string(folder.join("google/google-429-retry-info.json")) else {
        #[expect(clippy::print_stdout, reason = "whoever runs the tests shall see what did not run")]
        {
            println!("skipped: no fixtures in {}", folder.display());
        }
        return;
    };
    let verdict = answer(429, &[], &body).unwrap();
    assert_eq!((verdict.code, ms(verdict.wait)), (Code::UpstreamLimited, Some(34_400)));
    assert_eq!(answer(200, &[], &body), Some(verdict), "the same inside a 200");
}
