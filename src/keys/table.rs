//! The shapes, from the open rule sets of secret scanners (gitleaks, betterleaks, trufflehog, secretlint, kingfisher,
//! noseyparker; 2026) and from the providers' documentation and sources. Where those differ, the wider one.
//!
//! Of rows that take the same text the earlier one goes first.

use super::Advice::{Admin, Pair, Public, Restrict, Rotate, Test, Token};
use super::Class::{Ambiguous, Publishable, Secret};
use super::Piece::{Glue, Lit, Pad, Pem, Run};
use super::Severity::{Critical, High, Info, Low, Medium};
use super::set::{ALNUM, BASE32, BASE64, BASE64URL, DIGIT, EQUALS, HEX, HOST, LETTER, SLUG};
use super::{Advice, Class, Piece, Proof, Rule, Severity};

/// A row.
struct Row(&'static str, &'static str, Class, Severity, Advice, &'static str);

impl Row {
    const fn of(self, prefixes: &'static [&'static str], pieces: &'static [Piece], proof: Proof) -> Rule {
        let Self(id, provider, class, severity, advice, docs) = self;
        Rule { id, provider, class, severity, prefixes, pieces, proof, advice, docs }
    }
}

const fn secret(id: &'static str, provider: &'static str, docs: &'static str) -> Row {
    Row(id, provider, Secret, High, Rotate, docs)
}

const fn critical(id: &'static str, provider: &'static str, docs: &'static str) -> Row {
    Row(id, provider, Secret, Critical, Admin, docs)
}

const fn public(id: &'static str, provider: &'static str, docs: &'static str) -> Row {
    Row(id, provider, Publishable, Info, Public, docs)
}

const OPENAI: &str = "platform.openai.com/api-keys";
const ANTHROPIC: &str = "console.anthropic.com/settings/keys";
const STRIPE: &str = "docs.stripe.com/keys";
const CLERK: &str = "clerk.com/docs/deployments/clerk-environment-variables";
const SENTRY: &str = "docs.sentry.io/account/auth-tokens/";
const AWS: &str = "docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html";
const GITHUB: &str = "docs.github.com/authentication/keeping-your-account-and-data-secure";
const SUPABASE: &str = "supabase.com/docs/guides/api/api-keys";
const POSTHOG: &str = "posthog.com/docs/api";
const CONVEX: &str = "docs.convex.dev/cli/deploy-key-types";
const SLACK: &str = "api.slack.com/authentication/token-types";
const E2B: &str = "e2b.dev/docs/api-key";
const GITLAB: &str = "docs.gitlab.com/security/tokens/";

/// Every shape that is known.
pub static RULES: &[Rule] = &[
    secret("groq", "groq", "console.groq.com/keys").of(&["gsk_"], &[Run(ALNUM, 52, 52)], Proof::None),
    secret("openrouter", "openrouter", "openrouter.ai/settings/keys").of(
        &["sk-or-v1-"],
        &[Run(HEX, 64, 64)],
        Proof::None,
    ),
    critical("openai-admin", "openai", OPENAI).of(&["sk-admin-"], &[Run(BASE64URL, 48, 240)], Proof::OpenAi),
    secret("openai", "openai", OPENAI).of(
        &["sk-proj-", "sk-svcacct-", "sk-service-account-", "sk-"],
        &[Run(BASE64URL, 48, 300)],
        Proof::OpenAi,
    ),
    critical("anthropic-admin", "anthropic", ANTHROPIC).of(
        &["sk-ant-admin"],
        &[Run(DIGIT, 2, 2), Lit("-"), Run(BASE64URL, 80, 130)],
        Proof::EndsAa,
    ),
    secret("anthropic", "anthropic", ANTHROPIC).of(
        &["sk-ant-api"],
        &[Run(DIGIT, 2, 2), Lit("-"), Run(BASE64URL, 80, 130)],
        Proof::EndsAa,
    ),
    secret("anthropic-session", "anthropic", ANTHROPIC).of(
        &["sk-ant-oat", "sk-ant-ort", "sk-ant-sid"],
        &[Run(DIGIT, 2, 2), Lit("-"), Run(BASE64URL, 80, 180)],
        Proof::None,
    ),
    Row("google-api-key", "google", Ambiguous, Medium, Restrict, "firebase.google.com/docs/projects/api-keys").of(
        &["AIza"],
        &[Run(BASE64URL, 35, 35)],
        Proof::None,
    ),
    secret("gemini", "google", "ai.google.dev/gemini-api/docs/api-key").of(
        &["AQ.A"],
        &[Run(BASE64URL, 49, 49)],
        Proof::Mixed,
    ),
    secret("google-oauth-secret", "google", "cloud.google.com/iam/docs/oauth-overview").of(
        &["GOCSPX-"],
        &[Run(BASE64URL, 28, 28)],
        Proof::None,
    ),
    // Also of many who offer OpenAI's API under their own roof.
    secret("deepseek", "deepseek", "platform.deepseek.com/api_keys").of(&["sk-"], &[Run(HEX, 32, 32)], Proof::None),
    Row("openai-compatible", "openai", Ambiguous, Medium, Rotate, OPENAI).of(
        &["sk-"],
        &[Run(ALNUM, 48, 48)],
        Proof::Mixed,
    ),
    secret("hugging-face", "huggingface", "huggingface.co/docs/hub/security-tokens").of(
        &["hf_", "api_org_"],
        &[Run(LETTER, 34, 34)],
        Proof::None,
    ),
    secret("e2b-access-token", "e2b", E2B).of(&["sk_e2b_"], &[Run(HEX, 40, 40)], Proof::None),
    secret("e2b", "e2b", E2B).of(&["e2b_"], &[Run(HEX, 40, 40)], Proof::None),
    secret("xai", "xai", "docs.x.ai/docs/tutorial").of(&["xai-"], &[Run(ALNUM, 70, 120)], Proof::None),
    secret("perplexity", "perplexity", "docs.perplexity.ai").of(&["pplx-"], &[Run(ALNUM, 48, 48)], Proof::None),
    secret("replicate", "replicate", "replicate.com/account/api-tokens").of(
        &["r8_"],
        &[Run(ALNUM, 37, 37)],
        Proof::None,
    ),
    secret("cerebras", "cerebras", "cloud.cerebras.ai").of(&["csk-"], &[Run(ALNUM, 48, 48)], Proof::None),
    secret("together", "together", "docs.together.ai").of(&["tgp_v1_"], &[Run(BASE64URL, 43, 43)], Proof::None),
    secret("nvidia", "nvidia", "build.nvidia.com").of(&["nvapi-"], &[Run(BASE64URL, 60, 70)], Proof::None),
    secret("langsmith", "langsmith", "docs.langchain.com/langsmith").of(
        &["lsv2_pt_", "lsv2_sk_"],
        &[Run(HEX, 32, 32), Lit("_"), Run(HEX, 10, 10)],
        Proof::None,
    ),
    secret("vercel", "vercel", "vercel.com/docs/rest-api").of(
        &["vck_", "vcp_", "vci_", "vca_", "vcr_"],
        &[Run(ALNUM, 56, 56)],
        Proof::None,
    ),
    // Three issuers use these prefixes. Stripe's account number, or its older lengths, tell it from Clerk.
    secret("stripe", "stripe", STRIPE).of(&["sk_live_", "sk_prod_"], &[Run(ALNUM, 24, 247)], Proof::Stripe),
    secret("stripe-restricted", "stripe", STRIPE).of(&["rk_live_", "rk_prod_"], &[Run(ALNUM, 24, 247)], Proof::None),
    Row("stripe-test", "stripe", Secret, Low, Test, STRIPE).of(&["sk_test_"], &[Run(ALNUM, 24, 247)], Proof::Stripe),
    Row("stripe-restricted-test", "stripe", Secret, Low, Test, STRIPE).of(
        &["rk_test_"],
        &[Run(ALNUM, 24, 247)],
        Proof::None,
    ),
    secret("clerk", "clerk", CLERK).of(&["sk_live_"], &[Run(ALNUM, 24, 100)], Proof::None),
    Row("clerk-test", "clerk", Secret, Low, Test, CLERK).of(&["sk_test_"], &[Run(ALNUM, 24, 100)], Proof::None),
    public("clerk-publishable", "clerk", CLERK).of(
        &["pk_live_", "pk_test_"],
        &[Run(BASE64, 12, 200), Pad],
        Proof::Host,
    ),
    public("stripe-publishable", "stripe", STRIPE).of(
        &["pk_live_", "pk_test_", "pk_prod_"],
        &[Run(ALNUM, 24, 247)],
        Proof::None,
    ),
    secret("elevenlabs", "elevenlabs", "elevenlabs.io/docs/api-reference/authentication").of(
        &["sk_"],
        &[Run(HEX, 48, 48)],
        Proof::None,
    ),
    secret("sentry-user", "sentry", SENTRY).of(&["sntryu_", "sntrya_", "sntryi_"], &[Run(HEX, 64, 64)], Proof::None),
    secret("sentry-org", "sentry", SENTRY).of(
        &["sntrys_eyJ"],
        &[Run(BASE64 | EQUALS, 40, 900), Lit("_"), Run(BASE64, 40, 46), Pad],
        Proof::None,
    ),
    secret("sentry-legacy", "sentry", SENTRY).of(
        &["SENTRY_AUTH_TOKEN", "sentry_auth_token", "sentryAuthToken"],
        &[Glue, Run(HEX, 64, 64)],
        Proof::None,
    ),
    secret("sentry-dsn-secret", "sentry", "docs.sentry.io/concepts/key-terms/dsn-explainer/").of(
        &["https://", "http://"],
        &[Run(HEX, 32, 32), Lit(":"), Run(HEX, 32, 32), Lit("@"), Run(HOST, 4, 120), Lit("/"), Run(DIGIT, 1, 20)],
        Proof::Dsn,
    ),
    public("sentry-dsn", "sentry", "docs.sentry.io/concepts/key-terms/dsn-explainer/").of(
        &["https://", "http://"],
        &[Run(HEX, 32, 32), Lit("@"), Run(HOST, 4, 120), Lit("/"), Run(DIGIT, 1, 20)],
        Proof::Dsn,
    ),
    public("posthog-project", "posthog", POSTHOG).of(&["phc_"], &[Run(ALNUM, 40, 49)], Proof::None),
    secret("posthog-personal", "posthog", POSTHOG).of(&["phx_", "phs_"], &[Run(ALNUM, 40, 49)], Proof::None),
    Row("aws-access-key-id", "aws", Ambiguous, Medium, Pair, AWS).of(
        &["AKIA", "ASIA", "ABIA", "ACCA"],
        &[Run(BASE32, 16, 16)],
        Proof::None,
    ),
    Row("aws-access-key-id", "aws", Ambiguous, Medium, Pair, AWS).of(&["A3T"], &[Run(BASE32, 17, 17)], Proof::None),
    critical("aws-secret-access-key", "aws", AWS).of(
        &[
            "secret_access_key",
            "SECRET_ACCESS_KEY",
            "secretAccessKey",
            "SecretAccessKey",
            "aws_secret_key",
            "AWS_SECRET_KEY",
            "awsSecretKey",
            "Secret access key",
        ],
        &[Glue, Run(BASE64, 40, 40)],
        Proof::Mixed,
    ),
    critical("aws-bedrock", "aws", "docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html").of(
        &["ABSK"],
        &[Run(BASE64, 100, 280), Pad],
        Proof::None,
    ),
    secret("aws-bedrock-short", "aws", "docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html").of(
        &["bedrock-api-key-"],
        &[Lit("YmVkcm9jay5hbWF6b25hd3MuY29t"), Run(BASE64, 16, 4_000), Pad],
        Proof::None,
    ),
    critical("github", "github", GITHUB).of(
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        &[Run(ALNUM, 36, 36)],
        Proof::None,
    ),
    critical("github", "github", GITHUB).of(&["ghr_"], &[Run(ALNUM, 76, 76)], Proof::None),
    critical("github-fine-grained", "github", GITHUB).of(
        &["github_pat_"],
        &[Run(ALNUM, 22, 22), Lit("_"), Run(ALNUM, 59, 59)],
        Proof::None,
    ),
    critical("github-app", "github", GITHUB).of(
        &["ghs_"],
        &[
            Run(DIGIT, 1, 12),
            Lit("_eyJ"),
            Run(BASE64URL, 8, 2_000),
            Lit(".eyJ"),
            Run(BASE64URL, 8, 4_000),
            Lit("."),
            Run(BASE64URL, 20, 1_400),
        ],
        Proof::None,
    ),
    critical("npm", "npm", "docs.npmjs.com/about-access-tokens").of(&["npm_"], &[Run(ALNUM, 36, 36)], Proof::None),
    secret("gitlab", "gitlab", GITLAB).of(&["glpat-"], &[Run(BASE64URL, 20, 20)], Proof::None),
    secret("gitlab", "gitlab", GITLAB).of(
        &["glpat-"],
        &[Run(BASE64URL, 24, 300), Lit("."), Run(ALNUM, 2, 2), Lit("."), Run(ALNUM, 9, 9)],
        Proof::None,
    ),
    secret("slack", "slack", SLACK).of(
        &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-"],
        &[Run(DIGIT, 9, 14), Lit("-"), Run(ALNUM | super::set::DASH, 20, 100)],
        Proof::None,
    ),
    secret("slack", "slack", SLACK).of(
        &["xapp-"],
        &[Run(DIGIT, 1, 1), Lit("-"), Run(BASE32, 9, 14), Lit("-"), Run(DIGIT, 9, 14), Lit("-"), Run(HEX, 60, 70)],
        Proof::None,
    ),
    secret("slack-webhook", "slack", SLACK).of(
        &["hooks.slack.com/services/"],
        &[Run(BASE32, 9, 12), Lit("/"), Run(BASE32, 9, 12), Lit("/"), Run(ALNUM, 23, 25)],
        Proof::None,
    ),
    secret("sendgrid", "sendgrid", "www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys").of(
        &["SG."],
        &[Run(BASE64URL, 22, 22), Lit("."), Run(BASE64URL, 43, 43)],
        Proof::None,
    ),
    critical("supabase-secret", "supabase", SUPABASE).of(&["sb_secret_"], &[Run(BASE64URL, 31, 31)], Proof::None),
    public("supabase-publishable", "supabase", SUPABASE).of(
        &["sb_publishable_"],
        &[Run(BASE64URL, 31, 31)],
        Proof::None,
    ),
    critical("supabase-management", "supabase", SUPABASE).of(&["sbp_"], &[Run(HEX, 40, 40)], Proof::None),
    critical("convex-deploy-key", "convex", CONVEX).of(
        &["prod:", "dev:", "preview:", "project:", "custom:"],
        &[Run(SLUG, 3, 100), Lit("|"), Run(BASE64 | BASE64URL, 24, 2_000), Pad],
        Proof::Json,
    ),
    critical("convex-deploy-key", "convex", CONVEX).of(
        &["preview:", "project:"],
        &[Run(SLUG, 2, 100), Lit(":"), Run(SLUG, 2, 100), Lit("|"), Run(BASE64 | BASE64URL, 24, 2_000), Pad],
        Proof::Json,
    ),
    critical("private-key", "pem", "www.rfc-editor.org/rfc/rfc7468").of(&["-----BEGIN"], &[Pem], Proof::None),
    // What it claims may make it a publishable or a critical one.
    Row("jwt", "jwt", Ambiguous, Medium, Token, "jwt.io/introduction").of(
        &["eyJ"],
        &[Run(BASE64URL, 8, 2_000), Lit(".eyJ"), Run(BASE64URL, 4, 6_000), Lit("."), Run(BASE64URL, 20, 1_400)],
        Proof::Jwt,
    ),
];
