//! What the providers call a trading venue. The code is the one used everywhere in Steward.

use market::Mic;

/// One venue in everybody's words; empty where a provider does not cover it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VenueRow {
    /// Steward's code.
    pub mic: &'static str,
    /// What the broker calls it.
    pub texts: &'static [&'static str],
    /// Suffix of Yahoo's symbols, with its dot.
    pub yahoo: &'static str,
    /// Yahoo's codes of the exchange.
    pub exchanges: &'static [&'static str],
    /// OpenFIGI's code.
    pub figi: &'static str,
    /// Stooq's suffix.
    pub stooq: &'static str,
}

const fn row(
    mic: &'static str,
    texts: &'static [&'static str],
    yahoo: &'static str,
    exchanges: &'static [&'static str],
    figi: &'static str,
    stooq: &'static str,
) -> VenueRow {
    VenueRow { mic, texts, yahoo, exchanges, figi, stooq }
}

/// Note that `.AS` is Amsterdam at Yahoo and Hong Kong at the broker, and that Tokyo is XTKS: XTSE is Toronto.
const ROWS: [VenueRow; 37] = [
    row("XNAS", &["NASDAQ", "NasdaqGS", "NasdaqCM"], "", &["NMS", "NGM", "NCM"], "US", "us"),
    row("XNYS", &["NYSE", "NYSE Arca", "AMEX"], "", &["NYQ", "PCX", "ASE"], "US", "us"),
    row("XETR", &["XETRA"], ".DE", &["GER"], "GR", "de"),
    row("XFRA", &["Frankfurt"], ".F", &["FRA"], "GF", ""),
    row("XSTU", &["Stuttgart"], ".SG", &["STU"], "", ""),
    row("XMUN", &["Munich"], ".MU", &["MUN"], "", ""),
    row("XPAR", &["PARIS", "Euronext Paris"], ".PA", &["PAR"], "FP", ""),
    row("XAMS", &["AMSTERDAM"], ".AS", &["AMS"], "NA", ""),
    row("XBRU", &["BRUSSELS"], ".BR", &["BRU"], "BB", ""),
    row("XLIS", &["LISBON"], ".LS", &["LIS"], "PL", ""),
    row("XDUB", &["DUBLIN"], ".IR", &["ISE"], "ID", ""),
    row("XMIL", &["MILAN"], ".MI", &["MIL"], "IM", ""),
    row("XMAD", &["MADRID"], ".MC", &["MCE"], "SM", ""),
    row("XWBO", &["VIENNA"], ".VI", &["VIE"], "AV", ""),
    row("XLON", &["LSE", "London"], ".L", &["LSE", "IOB"], "LN", "uk"),
    row("XSWX", &["ZURICH", "Swiss"], ".SW", &["EBS"], "SW", ""),
    row("XCSE", &["COPENHAGEN"], ".CO", &["CPH"], "DC", ""),
    row("XSTO", &["STOCKHOLM"], ".ST", &["STO"], "SS", ""),
    row("XHEL", &["HELSINKI"], ".HE", &["HEL"], "FH", ""),
    row("XOSL", &["OSLO"], ".OL", &["OSL"], "NO", ""),
    row("ASEX", &["ATHENS"], ".AT", &["ATH"], "GA", ""),
    row("XWAR", &["WARSAW"], ".WA", &["WSE"], "PW", ""),
    row("XHKG", &["HKEX", "HKSE", "Hong Kong"], ".HK", &["HKG"], "HK", "hk"),
    row("XTKS", &["TOKYO"], ".T", &["JPX"], "JP", "jp"),
    row("XSHG", &["SHANGHAI"], ".SS", &["SHH"], "CH", ""),
    row("XSHE", &["SHENZHEN"], ".SZ", &["SHZ"], "CH", ""),
    row("XSES", &["SINGAPORE"], ".SI", &["SES"], "SP", ""),
    row("XKRX", &["KOREA"], ".KS", &["KSC"], "KS", ""),
    row("XTAI", &["TAIWAN"], ".TW", &["TAI"], "TT", ""),
    row("XNSE", &["NSE"], ".NS", &["NSI"], "IN", ""),
    row("XBOM", &["BSE", "Mumbai"], ".BO", &["BSE"], "IB", ""),
    row("XASX", &["ASX", "SYDNEY"], ".AX", &["ASX"], "AU", ""),
    row("XTSE", &["TORONTO"], ".TO", &["TOR"], "CT", ""),
    row("XJSE", &["JOHANNESBURG"], ".JO", &["JNB"], "SJ", ""),
    row("XTAE", &["TEL AVIV"], ".TA", &["TLV"], "IT", ""),
    row("BVMF", &["SAO PAULO"], ".SA", &["SAO"], "BZ", ""),
    row("XMEX", &["MEXICO"], ".MX", &["MEX"], "MM", ""),
];

/// Finds a venue by Steward's code; codes of the same calendar count as their first.
#[must_use]
pub fn venue_of_mic(mic: Mic) -> Option<&'static VenueRow> {
    let code = match mic.as_str() {
        "ARCX" | "XASE" => "XNYS",
        "MTAA" => "XMIL",
        "BMEX" => "XMAD",
        "XVIE" => "XWBO",
        "XATH" => "ASEX",
        other => other,
    };
    ROWS.iter().find(|row| row.mic == code)
}

/// Finds a venue by what the broker calls it.
#[must_use]
pub fn venue_of_text(text: &str) -> Option<&'static VenueRow> {
    let wanted = text.trim();
    ROWS.iter().find(|row| row.texts.iter().any(|known| known.eq_ignore_ascii_case(wanted)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_code_of_its_own_and_a_suffix_of_its_own() {
        for (place, row) in ROWS.iter().enumerate() {
            assert!(row.mic.parse::<Mic>().is_ok(), "{}", row.mic);
            let twin = ROWS[..place]
                .iter()
                .find(|other| other.mic == row.mic || (!row.yahoo.is_empty() && other.yahoo == row.yahoo));
            assert!(twin.is_none(), "{} and {twin:?}", row.mic);
        }
    }

    #[test]
    fn the_same_word_at_two_providers_is_two_places() {
        assert_eq!(venue_of_text("hkex").unwrap().yahoo, ".HK");
        assert_eq!(venue_of_text("Amsterdam").unwrap().yahoo, ".AS");
        assert_eq!(venue_of_text("TOKYO").unwrap().mic, "XTKS");
        assert_eq!(venue_of_mic("ARCX".parse().unwrap()).unwrap().mic, "XNYS");
        assert!(venue_of_text("moon").is_none());
    }
}
