//! Deliberately broken variants of the money path, to prove that the fault tests would notice.
//!
//! Only with the feature `mutants`, which no program is built with, is any of them ever in force; without it [`is`] is the
//! constant `false` and costs nothing.

#[cfg(feature = "mutants")]
std::thread_local! {
    static CHOSEN: std::cell::Cell<Option<&'static str>> = const { std::cell::Cell::new(None) };
}

/// Breaks this one from now on in this thread, or none.
#[cfg(feature = "mutants")]
pub fn choose(name: Option<&'static str>) {
    CHOSEN.with(|chosen| chosen.set(name));
}

/// Whether this variant is in force.
#[cfg(feature = "mutants")]
#[must_use]
pub fn is(name: &str) -> bool {
    CHOSEN.with(|chosen| chosen.get() == Some(name))
}

/// Whether this variant is in force: never.
#[cfg(not(feature = "mutants"))]
#[must_use]
#[inline(always)]
pub const fn is(_name: &str) -> bool {
    false
}
