//! What must hold whatever happens, one file each. All but those `at_rest` are asked after every step.

mod approved_once;
mod approved_only;
mod asks_what_it_may;
mod books_equal;
mod broker_conduct;
mod cash_floor;
mod fills_followed;
mod final_is_true;
mod frequency_kept;
mod halt_respected;
mod one_at_a_time;
mod sent_once;
mod settled;
mod unknown_ends;
mod venue_open;
mod verdict_for_all;

use crate::witness::Witness;

/// A rule with a name: what breaks it, in words, or nothing.
pub type Checker = (&'static str, fn(&Witness<'_>) -> Option<String>);

/// After every step.
pub const ALWAYS: &[Checker] = &[
    ("approved_only", approved_only::check),
    ("approved_once", approved_once::check),
    ("asks_what_it_may", asks_what_it_may::check),
    ("broker_conduct", broker_conduct::check),
    ("cash_floor", cash_floor::check),
    ("final_is_true", final_is_true::check),
    ("frequency_kept", frequency_kept::check),
    ("halt_respected", halt_respected::check),
    ("one_at_a_time", one_at_a_time::check),
    ("sent_once", sent_once::check),
    ("venue_open", venue_open::check),
];

/// From twenty minutes after the last fault.
pub const SOON: &[Checker] = &[("unknown_ends", unknown_ends::check)];

/// Once the faults have stopped.
pub const AT_REST: &[Checker] = &[
    ("settled", settled::check),
    ("fills_followed", fills_followed::check),
    ("books_equal", books_equal::check),
    ("verdict_for_all", verdict_for_all::check),
];
