use super::*;

#[test]
fn the_root_of_a_refusal_may_be_the_error() {
    assert_eq!(code(404, r#"{"code":"model_not_found","message":"no such model"}"#), Code::ModelNotFound);
    assert_eq!(answer(200, &[], r#"{"code":"model_not_found","message":"no such model"}"#), None);
}

#[test]
fn statuses_alone() {
    let rows = [
        (400, Code::UpstreamRejected),
        (401, Code::Authentication),
        (402, Code::Quota),
        (403, Code::Authentication),
        (404, Code::UpstreamRejected),
        (405, Code::UpstreamRejected),
        (408, Code::UpstreamFailed),
        (409, Code::UpstreamRejected),
        (413, Code::UpstreamRejected),
        (422, Code::UpstreamRejected),
        (425, Code::UpstreamLimited),
        (429, Code::UpstreamLimited),
        (451, Code::UpstreamRejected),
        (498, Code::UpstreamLimited),
        (0, Code::UpstreamRejected),
        (301, Code::UpstreamRejected),
        (302, Code::UpstreamRejected),
        (304, Code::UpstreamRejected),
        (307, Code::UpstreamRejected),
        (500, Code::UpstreamFailed),
        (502, Code::UpstreamFailed),
        (503, Code::UpstreamFailed),
        (504, Code::UpstreamFailed),
        (520, Code::UpstreamFailed),
        (524, Code::UpstreamFailed),
        (527, Code::UpstreamFailed),
        (529, Code::UpstreamFailed),
        (530, Code::UpstreamFailed),
        (101, Code::UpstreamMalformed),
        (700, Code::UpstreamMalformed),
    ];
    for (status, want) in rows {
        for body in ["", "<html><body>Bad gateway</body></html>", "{}", r#"{"error":{"message":"no"}}"#] {
            let verdict = answer(status, &[], body).unwrap();
            assert_eq!(
                verdict,
                Verdict { code: want, status, wait: None, stop: false, billed: matches!(status, 504 | 524) },
                "{status} {body}"
            );
        }
    }
}

#[test]
fn bodies_say_it_more_exactly() {
    let rows = [
        (404, r#"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#, Code::ModelNotFound),
        (403, r#"{"error":{"message":"No access","code":"model_not_found"}}"#, Code::ModelNotFound),
        (400, r#"{"error":{"message":"gone","code":"model_decommissioned"}}"#, Code::ModelNotFound),
        (
            404,
            r#"{"type":"error","error":{"type":"not_found_error","message":"model: claude-x"}}"#,
            Code::ModelNotFound,
        ),
        (404, r#"{"error":{"message":"No endpoints found for a/b:free.","code":404}}"#, Code::ModelNotFound),
        (404, r#"{"error":{"message":"x","code":404,"type":"free_variant_ended"}}"#, Code::ModelNotFound),
        (400, r#"{"error":{"message":"a/b is not a valid model ID","code":400}}"#, Code::ModelNotFound),
        (400, r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error"}}"#, Code::ModelNotFound),
        (
            400,
            r#"{"object":"error","message":"Invalid model: x","type":"invalid_model","code":"1500"}"#,
            Code::ModelNotFound,
        ),
        (404, r#"{"error":"model 'x' not found"}"#, Code::ModelNotFound),
        (404, r#"{"error":{"message":"Invalid URL (POST /v1/foo)"}}"#, Code::UpstreamRejected),
        (404, "<html>no such model</html>", Code::UpstreamRejected),
        (400, r#"{"error":{"message":"x","code":"context_length_exceeded"}}"#, Code::ContextLength),
        (400, r#"{"error":{"message":"This model's maximum context length is 8192 tokens."}}"#, Code::ContextLength),
        (
            400,
            r#"{"error":{"type":"invalid_request_error","message":"prompt is too long: 2 > 1"}}"#,
            Code::ContextLength,
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"The input token count (9) exceeds the maximum"}}"#,
            Code::ContextLength,
        ),
        (413, r#"{"error":{"message":"Request too large for model `x` on tokens per minute"}}"#, Code::ContextLength),
        (
            400,
            r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"Maximum context length is 5\"}}"}}}"#,
            Code::ContextLength,
        ),
        (429, r#"{"error":{"message":"maximum context length","type":"tokens"}}"#, Code::UpstreamLimited),
        (429, r#"{"error":{"message":"x","type":"insufficient_quota","code":"insufficient_quota"}}"#, Code::Quota),
        (
            429,
            r#"{"error":{"message":"You exceeded your current quota","status":"RESOURCE_EXHAUSTED"}}"#,
            Code::UpstreamLimited,
        ),
        (400, r#"{"error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#, Code::Quota),
        (402, r#"{"error":{"message":"Insufficient Balance"}}"#, Code::Quota),
        (
            400,
            r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key."}}"#,
            Code::Authentication,
        ),
        (400, r#"[{"error":{"code":400,"message":"API key not valid."}}]"#, Code::Authentication),
        (500, r#"{"error":{"message":"model_not_found","code":"model_not_found"}}"#, Code::UpstreamFailed),
        (302, r#"{"error":{"code":"model_not_found"}}"#, Code::UpstreamRejected),
    ];
    for (status, body, want) in rows {
        assert_eq!(code(status, body), want, "{status} {body}");
    }
}

/// What providers wrote, as their users reported it; the numbers and names are others.
#[test]
fn prose_tells_whose_fault_it_is() {
    let rows = [
        (400, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000", Code::ContextLength),
        (
            400,
            "This model's maximum prompt length is 131072 but the request contains 136973 tokens.",
            Code::ContextLength,
        ),
        (400, "request (9000 tokens) exceeds the available context size (4096 tokens)", Code::ContextLength),
        (400, "The decoder prompt (length 5) is longer than the maximum model length of 4", Code::ContextLength),
        (400, "However, the model's context length is only 4096 tokens, resulting in less", Code::ContextLength),
        (
            429,
            "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 50000.",
            Code::ContextLength,
        ),
        (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096", Code::ContextLength),
        (429, "Your team x has either used all available credits or reached its monthly spending limit.", Code::Quota),
        (403, "Your newly created team doesn't have any credits or licenses yet.", Code::Quota),
        (403, "Key limit exceeded (total limit). Manage it using the settings", Code::Quota),
        (400, "You have reached your specified API usage limits. You will regain access on 2026-12-01", Code::Quota),
        (400, "API key expired. Please renew the API key.", Code::Authentication),
        (400, "API Key not found. Please pass a valid API key.", Code::Authentication),
        (400, "Incorrect API key provided: xa***st.", Code::Authentication),
        (400, "This organization has been disabled.", Code::Authentication),
        (400, "Your organization must be verified to stream this model.", Code::Authentication),
        (403, "a/b requires moderation on OpenRouter. Your input was flagged for x.", Code::UpstreamRejected),
        (403, "Content violates usage guidelines. Failed check: SAFETY_CHECK", Code::UpstreamRejected),
        (400, "`temperature` must be at most 2", Code::UpstreamRejected),
        (403, "Your API key was reported as leaked.", Code::Authentication),
        (429, "Your team's rate limit is 480 requests per minute.", Code::UpstreamLimited),
    ];
    for (status, message, want) in rows {
        assert_eq!(code(status, &format!(r#"{{"error":{{"message":"{message}"}}}}"#)), want, "{status} {message}");
        // xAI's errors are a text beside a code that says what the status says.
        assert_eq!(code(status, &format!(r#"{{"code":"x","error":"{message}"}}"#)), want, "{status} {message}");
    }
    let labelled = |label: &str| code(400, &format!(r#"{{"error":{{"message":"no","{label}}}}}"#));
    assert_eq!(labelled(r#"code":"model_not_supported""#), Code::ModelNotFound);
    assert_eq!(labelled(r#"code":"model_terms_required""#), Code::ModelNotFound);
    assert_eq!(labelled(r#"code":"organization_restricted""#), Code::Authentication);
    assert_eq!(labelled(r#"status":"FAILED_PRECONDITION""#), Code::Authentication);
    assert_eq!(labelled(r#"status":"INVALID_ARGUMENT""#), Code::UpstreamRejected);
}

#[test]
fn in_flight_credit_is_a_limit_only_with_a_wait() {
    let body = r#"{"error":{"code":402,"message":"x","availability":{"retry_after":5}}}"#;
    let verdict = answer(402, &[], body).unwrap();
    assert_eq!((verdict.code, ms(verdict.wait)), (Code::UpstreamLimited, Some(5_000)));
    assert_eq!(answer(402, &[("retry-after", "3")], "").unwrap().code, Code::UpstreamLimited);
    assert_eq!(answer(402, &[("retry-after", "NaN")], "").unwrap().code, Code::Quota);
    let spent = r#"{"error":{"code":"insufficient_quota"}}"#;
    assert_eq!(answer(402, &[("retry-after", "3")], spent).unwrap().code, Code::Quota);
}

#[test]
fn should_retry_is_obeyed() {
    let with = |status, value| answer(status, &[("x-should-retry", value)], "").unwrap();
    for status in [400, 401, 404, 409, 422, 500] {
        assert_eq!(with(status, "true").code, Code::UpstreamFailed, "{status}");
    }
    assert_eq!(with(429, "true").code, Code::UpstreamLimited, "a 429 is never a failure");
    assert_eq!(with(302, "true").code, Code::UpstreamRejected, "a redirect is never followed");
    assert_eq!(with(0, "true").code, Code::UpstreamRejected);
    for status in [409, 429, 500, 529] {
        assert!(with(status, "false").stop, "{status}");
        assert!(!with(status, "true").stop && !with(status, "maybe").stop, "{status}");
    }
    assert_eq!(with(409, "false").code, Code::UpstreamRejected);
}

#[test]
fn errors_inside_good_answers() {
    let rows = [
        (r#"{"error":{"code":429,"message":"x"}}"#, 429, Code::UpstreamLimited),
        (r#"{"error":{"code":"503","message":"x"}}"#, 503, Code::UpstreamFailed),
        (
            r#"{"id":"gen-1","choices":[],"error":{"code":502,"message":"Provider disconnected"}}"#,
            502,
            Code::UpstreamFailed,
        ),
        (r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, 529, Code::UpstreamFailed),
        (r#"{"error":{"status":"UNAVAILABLE"}}"#, 503, Code::UpstreamFailed),
        (r#"[{"error":{"code":400,"status":"INVALID_ARGUMENT"}}]"#, 400, Code::UpstreamRejected),
        (r#"{"error":{"type":"authentication_error"}}"#, 401, Code::Authentication),
        (r#"{"error":{"type":"billing_error"}}"#, 402, Code::Quota),
        (r#"{"error":{"status":"PERMISSION_DENIED"}}"#, 403, Code::Authentication),
        (r#"{"error":{"type":"request_too_large"}}"#, 413, Code::UpstreamRejected),
        (r#"{"error":{"code":"insufficient_quota"}}"#, 429, Code::Quota),
        (r#"{"error":{"code":"model_not_found"}}"#, 404, Code::ModelNotFound),
        (r#"{"error":{"code":"context_length_exceeded"}}"#, 400, Code::ContextLength),
        (r#"{"error":{"type":"invalid_request_error"}}"#, 400, Code::UpstreamRejected),
        (r#"{"error":{"code":"invalid_api_key"}}"#, 401, Code::Authentication),
        // developers.openai.com/api/reference/resources/responses, the codes of a failed response.
        (r#"{"error":{"code":"invalid_prompt"}}"#, 400, Code::UpstreamRejected),
        (r#"{"error":{"code":"bio_policy"}}"#, 400, Code::UpstreamRejected),
        (r#"{"error":{"code":"misalignment_policy_violation"}}"#, 400, Code::UpstreamRejected),
        (r#"{"error":{"code":"failed_to_download_image"}}"#, 400, Code::UpstreamRejected),
        (r#"{"error":{"code":"server_error"}}"#, 500, Code::UpstreamFailed),
        (r#"{"error":{"code":402,"message":"x"}}"#, 402, Code::Quota),
        (r#"{"error":"out of memory"}"#, 502, Code::UpstreamFailed),
        (r#"{"error":{"code":200,"message":"what?"}}"#, 502, Code::UpstreamFailed),
        (r#"{"error":{"code":302,"message":"what?"}}"#, 502, Code::UpstreamFailed),
        (r#"{"error":{"code":600,"message":"what?"}}"#, 502, Code::UpstreamFailed),
        (r#"{"error":{"status":"DEADLINE_EXCEEDED"}}"#, 504, Code::UpstreamFailed),
    ];
    for (body, status, want) in rows {
        let verdict = answer(200, &[], body).unwrap();
        let billed = status == 504;
        assert_eq!(verdict, Verdict { code: want, status, wait: None, stop: false, billed }, "{body}");
    }
}

#[test]
fn good_answers_are_none() {
    let bodies = [
        "",
        r#"{"choices":[{"message":{"content":"hi"}}]}"#,
        r#"{"error":null,"choices":[{}]}"#,
        r#"{"error":{},"choices":[{}]}"#,
        r#"{"error":"","choices":[{}]}"#,
        r#"{"error":false}"#,
        r#"{"choices":[{"message":{"content":"{\"error\":{\"code\":500}}"}}]}"#,
        r#"{"choices":[{"finish_reason":"stop","error":{"code":500}}]}"#,
        r#"{"error":{"code":500}"#,
        "<html>\"error\"</html>",
    ];
    for body in bodies {
        assert_eq!(answer(200, &[("retry-after", "13")], body), None, "{body}");
    }
}

#[test]
fn output_beside_an_error_is_possibly_billed() {
    let rest = [
        r#""usage":{"prompt_tokens":5}"#,
        r#""choices":[{"delta":{"content":"a"}}]"#,
        r#""usageMetadata":{"promptTokenCount":5}"#,
    ];
    for rest in rest {
        assert!(answer(200, &[], &format!(r#"{{"error":{{"code":502}},{rest}}}"#)).unwrap().billed, "{rest}");
    }
    let wrote = r#"{"error":{"message":"Failed to call a function.","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"<tool-use>{"}}"#;
    let verdict = answer(400, &[], wrote).unwrap();
    assert_eq!((verdict.code, verdict.billed), (Code::UpstreamRejected, true), "the model ran");
    for nothing in ["\"\"", "null"] {
        assert!(!answer(400, &[], &wrote.replace("\"<tool-use>{\"", nothing)).unwrap().billed, "{nothing}");
    }
    let nothing = r#"{"error":{"code":502},"usage":null,"choices":[]}"#;
    assert!(!answer(200, &[], nothing).unwrap().billed);
    // Nor beside a status that is an error, in whichever form.
    for error in ["{}", "{\"message\":\"overloaded\"}", "\"overloaded\""] {
        let body = format!(r#"{{"error":{error},"usage":{{"prompt_tokens":5}}}}"#);
        assert!(!answer(500, &[], &body).unwrap().billed, "{body}");
        assert_eq!(answer(200, &[], &body).map(|verdict| verdict.billed), (error != "{}").then_some(true), "{body}");
    }
}

#[test]
fn an_error_in_an_answer_that_broke_off_counts_and_one_beside_a_whole_answer_does_not() {
    let body = |end: &str| format!(r#"{{"choices":[{{"message":{{"content":"x"}},{end}}}]}}"#);
    let limited =
        answer(200, &[], &body(r#""finish_reason":"error","error":{"code":429,"message":"slow down"}"#)).unwrap();
    assert_eq!((limited.code, limited.status, limited.billed), (Code::UpstreamLimited, 429, true));
    let gone = answer(200, &[], &body(r#""finish_reason":null,"error":{"code":502,"message":"gone"}"#)).unwrap();
    assert_eq!((gone.code, gone.billed), (Code::UpstreamFailed, true));
    for whole in [r#""finish_reason":"stop","error":{"code":502}"#, r#""finish_reason":"stop","error":null"#] {
        assert_eq!(answer(200, &[], &body(whole)), None, "{whole}");
    }
}
