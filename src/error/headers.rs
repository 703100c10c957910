//! What an error says in the headers of an HTTP answer: one rule for the Worker and for a `fetch` that stands in
//! for a provider's.

use super::Error;
use crate::text::decimal;

impl Error {
    /// Headers beside `content-type`, names in lower case.
    ///
    /// `x-should-retry` stops the retries of OpenAI's, Anthropic's and Groq's clients, which would add to our
    /// own. A wait is told twice: `retry-after` in whole seconds, at least 1 (RFC 9110, 10.2.3), and
    /// `retry-after-ms`, which the same clients prefer. Both are rounded up: who comes back too early is
    /// refused again.
    #[must_use]
    pub fn response_headers(&self) -> Vec<(&'static str, String)> {
        let retry = if self.should_retry() { "true" } else { "false" };
        let mut headers = vec![("x-should-retry", String::from(retry))];
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
            let part = u64::from(wait.subsec_nanos().div_ceil(1_000_000));
            let millis = wait.as_secs().saturating_mul(1_000).saturating_add(part);
            headers.push(("retry-after", decimal(seconds.max(1))));
            headers.push(("retry-after-ms", decimal(millis)));
        }
        if self.http_status() == 401 {
            headers.push(("www-authenticate", "Bearer".into()));
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::{Code, Detail};

    fn headers(error: &Error) -> String {
        error.response_headers().iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
    }

    #[test]
    fn a_wait_is_told_rounded_up() {
        let wait = |micros| Error::new(Code::RateLimited).after(Duration::from_micros(micros));
        let told =
            |seconds: &str, ms: &str| format!("x-should-retry: true\nretry-after: {seconds}\nretry-after-ms: {ms}\n");
        assert_eq!(headers(&wait(0)), told("1", "0"));
        assert_eq!(headers(&wait(1)), told("1", "1"));
        assert_eq!(headers(&wait(1_000_000)), told("1", "1000"));
        assert_eq!(headers(&wait(1_000_001)), told("2", "1001"));
        assert_eq!(headers(&wait(59_999_500)), told("60", "60000"));
        let long = Error::new(Code::BudgetExceeded).after(Duration::MAX);
        assert!(headers(&long).starts_with("x-should-retry: false\nretry-after: 18446744073709551615\n"));
    }

    #[test]
    fn only_a_401_asks_who_is_there() {
        for code in Code::ALL {
            let asks = headers(&Error::new(*code)).contains("www-authenticate: Bearer\n");
            assert_eq!(asks, *code == Code::Unauthorized, "{code:?}");
        }
        let passed_on = Error::new(Code::UpstreamRejected).with(Detail::Status(401));
        assert!(headers(&passed_on).contains("www-authenticate"));
    }
}
