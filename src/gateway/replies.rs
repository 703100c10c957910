//! One caller's reply, made of an answer that is theirs, was kept, or is shared.

use std::rc::Rc;

use super::answer::{self, CacheState, CostSource, Meta, Reply, Served};
use super::prepare::Prepared;
use crate::attempt::Kind;
use crate::cache;
use crate::chat::{Dialect, Usage};
use crate::money::NanoUsd;

/// The reply to the one whose request was sent.
pub(super) fn own(request_id: &Rc<str>, served: &Served, cache: CacheState) -> Reply {
    Reply {
        body: served.body.clone(),
        events: false,
        meta: Meta {
            request_id: (**request_id).into(),
            target: served.target.clone(),
            attempts: served.attempts,
            cache,
            age: None,
            saved: None,
            cost: served.cost,
            cost_source: served.cost_source,
            usage: served.usage,
            degraded: served.degraded,
            #[cfg(feature = "dialects")]
            left_out: served.left_out,
            reserved: None,
            #[cfg(feature = "edge")]
            allowance: None,
            #[cfg(feature = "edge")]
            tried: served.tried.clone(),
        },
    }
}

/// The reply to one who joined. `pays`: who was to pay has left.
pub(super) fn joined(dialect: Dialect, prepared: &Prepared, served: &Served, pays: bool) -> Reply {
    let id = &prepared.request_id;
    let mut meta = free_meta(id, &served.target, CacheState::Joined, served.own_cost);
    if pays {
        meta.saved = None;
        (meta.cost, meta.cost_source, meta.usage) = (served.cost, served.cost_source, served.usage);
    }
    #[cfg(feature = "dialects")]
    {
        meta.left_out = served.left_out;
    }
    let body = again(dialect, prepared, &served.body);
    Reply { body, events: false, meta: Meta { degraded: served.degraded, ..meta } }
}

/// An answer given again. Vectors have no id, and their usage is told by the account.
fn again(dialect: Dialect, prepared: &Prepared, body: &Rc<str>) -> Rc<str> {
    match prepared.ask.kind {
        Kind::Chat if dialect == Dialect::Chat => {
            let mut fresh = None;
            let mut kept = prepared.seen.as_ref().ok().map(|seen| seen.again.borrow_mut());
            let again = kept.as_deref_mut().unwrap_or(&mut fresh);
            if !again.as_ref().is_some_and(|(own, _)| Rc::ptr_eq(own, body)) {
                *again = Some((body.clone(), answer::after_id(body)));
            }
            let rest = again.as_ref().map_or("}", |(_, rest)| rest);
            let mut out = String::with_capacity(rest.len().saturating_add(48));
            for piece in ["{\"id\":\"", &prepared.request_id, "\"", rest] {
                out.push_str(piece);
            }
            out.into()
        }
        Kind::Chat => answer::repeat(dialect, body, &prepared.request_id, &prepared.stamp).into(),
        Kind::Embeddings { .. } => body.clone(),
    }
}

pub(super) fn from_cache(dialect: Dialect, prepared: &Prepared, hit: cache::Hit) -> Reply {
    let id = &prepared.request_id;
    let meta = free_meta(id, &hit.answer.target, CacheState::Hit, hit.answer.cost);
    let body = again(dialect, prepared, &hit.answer.body);
    Reply { body, events: false, meta: Meta { age: Some(hit.age), ..meta } }
}

fn free_meta(request_id: &Rc<str>, target: &str, cache: CacheState, saved: NanoUsd) -> Meta {
    Meta {
        request_id: (**request_id).into(),
        target: target.into(),
        attempts: 0,
        cache,
        age: None,
        saved: Some(saved),
        cost: NanoUsd::ZERO,
        cost_source: CostSource::Computed,
        usage: Usage::default(),
        degraded: false,
        #[cfg(feature = "dialects")]
        left_out: crate::chat::LeftOut::default(),
        reserved: None,
        #[cfg(feature = "edge")]
        allowance: None,
        #[cfg(feature = "edge")]
        tried: Box::default(),
    }
}
