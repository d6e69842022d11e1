//! What the broker's cash-flow codes mean for the books. The sign is never inferred from them.

/// Says what a cash flow is for the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlowClass {
    /// Deposit or withdrawal.
    External,
    /// Between own accounts: neutral if both legs are seen.
    OwnTransfer,
    /// Dividend, coupon, interest, compensation.
    Income,
    /// Fee or tax.
    Cost,
    /// Fee or tax given back.
    CostRefund,
    /// Cash side of a trade or an exchange of currency.
    Settlement,
    /// Cash part of a corporate action.
    CorporateAction,
    /// Hold and release; never a flow, they cancel out.
    Hold,
    /// Margin of derivatives.
    Margin,
    /// Correction by the broker.
    Correction,
    /// A code nobody knows: to be looked at by a person.
    Other,
}

/// Holds a class and whether the flow takes an earlier one back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlowKind {
    /// The class.
    pub class: FlowClass,
    /// True for codes that end in `_reverted`.
    pub reversal: bool,
}

impl FlowKind {
    /// Classifies a code of the broker.
    pub fn of(type_code: &str) -> Self {
        match type_code.strip_suffix("_reverted") {
            Some(code) => Self { class: class_of(code), reversal: true },
            None => Self { class: class_of(type_code), reversal: false },
        }
    }
}

fn class_of(code: &str) -> FlowClass {
    let listed = CLASSES.iter().find(|(codes, _)| codes.contains(&code));
    listed.map_or(FlowClass::Other, |(_, class)| *class)
}

const CLASSES: [(&[&str], FlowClass); 10] = [
    (EXTERNAL, FlowClass::External),
    (&["intercompany", "internal_holding"], FlowClass::OwnTransfer),
    (INCOME, FlowClass::Income),
    (COST, FlowClass::Cost),
    (COST_REFUND, FlowClass::CostRefund),
    (SETTLEMENT, FlowClass::Settlement),
    (CORPORATE_ACTION, FlowClass::CorporateAction),
    (&["block", "unblock", "pending_card_authorisation"], FlowClass::Hold),
    (&["initial_margin", "initial_margin_afterhours", "variation_margin"], FlowClass::Margin),
    (&["storn_correction", "system"], FlowClass::Correction),
];

const EXTERNAL: &[&str] = &[
    "bank",
    "sbp",
    "sbp_withdrawal",
    "card",
    "card_cash",
    "card_payout",
    "cashout",
    "kassa",
    "swift",
    "sepa",
    "sepa_instant",
    "blik",
    "interbank",
    "digital_assets",
    "digital_assets_withdrawal",
    "blockchain",
    "crypto_withdrawal",
    "recurrent_subscription",
    "payments_to_customer",
    "gift_certificate",
];

const INCOME: &[&str] = &[
    "dividend",
    "coupon",
    "percents",
    "fund_payment",
    "dividend_compensation",
    "stock_dividend_compensation",
    "corporate_action_compensation",
    "deposit_compensation",
    "agent_reward_for_commissions",
    "agent_reward_for_net_deposits",
];

const COST: &[&str] = &[
    "commission",
    "commission_for_trades",
    "card_commission",
    "icc_commission",
    "block_commission",
    "agent_fee",
    "tax",
    "tax_vat",
    "tax_agent",
    "tax_profit",
    "debt_coverage",
];

const COST_REFUND: &[&str] = &[
    "commission_refund",
    "commission_rebates",
    "scores_rebate",
    "unblock_commission",
    "tax_vat_refund",
    "refund",
];

const SETTLEMENT: &[&str] = &[
    "otc_trade",
    "dvp",
    "currency_conversion",
    "card_conversion_settlement",
    "trade_cancellation",
    "agent_trade",
];

const CORPORATE_ACTION: &[&str] = &[
    "conversion",
    "merger",
    "spin_off",
    "split",
    "stock_dividend",
    "rights_distribution",
    "maturity",
    "partial_maturity",
    "option_premium",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classifies_known_reversed_and_unknown_codes() {
        let table = [
            ("bank", FlowClass::External, false),
            ("dividend", FlowClass::Income, false),
            ("dividend_reverted", FlowClass::Income, true),
            ("commission_for_trades", FlowClass::Cost, false),
            ("currency_conversion", FlowClass::Settlement, false),
            ("unblock", FlowClass::Hold, false),
            ("brand_new", FlowClass::Other, false),
            ("brand_new_reverted", FlowClass::Other, true),
            ("", FlowClass::Other, false),
        ];
        for (code, class, reversal) in table {
            assert_eq!(FlowKind::of(code), FlowKind { class, reversal }, "{code}");
        }
    }

    #[test]
    fn no_code_has_two_classes() {
        let mut codes: Vec<&str> = CLASSES.iter().flat_map(|(codes, _)| codes.iter().copied()).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!((codes.len(), all), (all, 72));
    }
}
