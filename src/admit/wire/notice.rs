//! What the ledger has to tell, as bytes.

use super::{money, time};
#[cfg(feature = "edge")]
use super::{option, optional};
use crate::admit::command::Notice;
#[cfg(feature = "edge")]
use crate::admit::edge;
use crate::pack::{Reader, Writer};

pub(super) fn encode_notice(writer: &mut Writer, notice: &Notice) {
    match notice {
        Notice::Threshold { period, percent, spent, limit } => {
            writer.byte(0).int(*period).uint((*percent).into()).uint(spent.as_nano()).uint(limit.as_nano());
        }
        Notice::CircuitOpen { tenant, target, until } => {
            writer.byte(1).text(tenant).text(target).int(until.as_millis());
        }
        Notice::CircuitHalfOpen { tenant, target } => drop(writer.byte(2).text(tenant).text(target)),
        Notice::CircuitClosed { tenant, target } => drop(writer.byte(3).text(tenant).text(target)),
        Notice::Overshoot { period, amount } => drop(writer.byte(4).int(*period).uint(amount.as_nano())),
        Notice::LeaseExpired { reservation } => drop(writer.byte(5).uint(*reservation)),
        #[cfg(feature = "edge")]
        Notice::BudgetOf { of, per, who, period, percent, spent, limit } => {
            edge::encode_scope(writer.byte(6), *of, *per);
            option(writer, who.as_deref(), Writer::text);
            writer.int(*period).uint((*percent).into()).uint(spent.as_nano()).uint(limit.as_nano());
        }
    }
}

pub(super) fn decode_notice(reader: &mut Reader<'_>) -> Notice {
    match reader.byte() {
        0 => Notice::Threshold {
            period: reader.int(),
            percent: reader.uint32(),
            spent: money(reader),
            limit: money(reader),
        },
        1 => Notice::CircuitOpen { tenant: reader.text().into(), target: reader.text().into(), until: time(reader) },
        2 => Notice::CircuitHalfOpen { tenant: reader.text().into(), target: reader.text().into() },
        3 => Notice::CircuitClosed { tenant: reader.text().into(), target: reader.text().into() },
        #[cfg(feature = "edge")]
        6 => {
            let (of, per) = edge::decode_scope(reader);
            let who = optional(reader, Reader::text).map(String::from);
            Notice::BudgetOf {
                of,
                per,
                who,
                period: reader.int(),
                percent: reader.uint32(),
                spent: money(reader),
                limit: money(reader),
            }
        }
        4 => Notice::Overshoot { period: reader.int(), amount: money(reader) },
        byte => {
            reader.require(byte == 5);
            Notice::LeaseExpired { reservation: reader.uint() }
        }
    }
}
