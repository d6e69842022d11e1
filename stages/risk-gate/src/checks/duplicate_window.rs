//! Check 11: the same security was not ordered a moment ago.

use contracts::Side;
use limits::Finding;
use limits::frequency::{check_gap, remaining_s};

use super::{Answer, Case};

/// Passes when the last submission, and for a sale the last sale, are old enough.
pub(super) fn judge(case: &Case<'_>) -> Answer {
    let (state, settings) = (case.state, case.settings);
    let submission = check_gap(state.since_submission_s, settings.duplicate_window_min);
    let wait_s = remaining_s(state.since_submission_s, settings.duplicate_window_min);
    if case.side == Side::Buy {
        return Answer { finding: submission, code: None, wait_s: Some(wait_s) };
    }
    let sale = check_gap(state.since_last_sell_s, settings.sell_window_min);
    let sale_wait_s = remaining_s(state.since_last_sell_s, settings.sell_window_min);
    let finding = Finding::new(
        submission.passed && sale.passed,
        format!("submission {}, sale {}", submission.found, sale.found),
        format!("{}, {}", submission.limit, sale.limit),
    );
    Answer { finding, code: None, wait_s: Some(wait_s.max(sale_wait_s)) }
}
