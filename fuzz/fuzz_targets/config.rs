//! Configurations as JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate::config::GatewayConfig;
use tidegate::error::Code;
use tidegate::host::UtcOnly;

fuzz_target!(|json: &str| {
    let Ok(raw) = serde_json::from_str(json) else { return };
    if let Err(error) = GatewayConfig::parse(&raw, &UtcOnly) {
        assert_eq!(error.code, Code::ConfigInvalid);
    }
});
