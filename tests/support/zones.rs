//! Time-zone rules as a script: the real offsets of 2026 (of 2011 for Apia, which skipped a day).

/// Seconds ahead of UTC, and from which second on.
type Rules = (&'static str, i32, &'static [(i64, i32)]);

pub(crate) const ZONES: &[Rules] = &[
    ("UTC", 0, &[]),
    ("Europe/Berlin", 3_600, &[(1_774_746_000, 7_200), (1_792_890_000, 3_600)]),
    ("America/New_York", -18_000, &[(1_772_953_200, -14_400), (1_793_512_800, -18_000)]),
    ("Pacific/Kiritimati", 50_400, &[]),
    ("Australia/Lord_Howe", 39_600, &[(1_775_314_800, 37_800), (1_791_041_400, 39_600)]),
    ("America/Havana", -18_000, &[(1_772_946_000, -14_400), (1_793_509_200, -18_000)]),
    ("Pacific/Apia", -36_000, &[(1_325_239_200, 50_400)]),
    ("Antarctica/Troll", 0, &[(1_774_746_000, 7_200), (1_792_890_000, 0)]),
];

pub(crate) fn offset(zone: &str, millis: i64) -> Option<i32> {
    let (_, before, changes) = ZONES.iter().find(|(name, ..)| *name == zone)?;
    let at = millis.div_euclid(1_000);
    Some(changes.iter().rev().find(|(from, _)| *from <= at).map_or(*before, |(_, offset)| *offset))
}
