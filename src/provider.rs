//! Providers: how a request is written for one and how its answer is read. What differs between
//! providers of the same dialect is data in [`catalogue`].

pub mod anthropic;
pub mod catalogue;
mod dialect;
pub mod embeddings;
pub mod endpoint;
mod facts;
pub mod google;
pub mod models;
pub mod openai_compatible;
mod origin;
mod presented;
pub mod responses;
mod served;
pub mod sse;

pub use catalogue::{Credentials, Quirks, credentials, dialects, quirks};
pub use dialect::{
    Malformed, Outgoing, Stamp, StreamDecoder, StreamEncoder, TRANSLATES_FIRST, VECTORS, decode_body, decode_request,
    encode_body, encode_error, encode_request, is_built, not_built, path, rewrite_request, with_x_groq,
};
pub use endpoint::{Endpoint, Recognised, Unasked, recognise, unasked};
pub use facts::Answer;
pub use origin::{Owner, owner};
pub use presented::{looks_real, presented};
pub use served::{Served, served};
