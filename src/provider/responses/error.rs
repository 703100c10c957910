//! Errors as the clients of this dialect read them: they are the clients of chat completions too.

pub(in crate::provider) use crate::provider::openai_compatible::encode_error;
