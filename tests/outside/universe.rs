//! `steward universe` against real programs: what is asked, what is shown, what is refused and then changes nothing.

use std::time::Duration;

use contracts::{History, PortfolioState};
use serde_json::Value;
use steward_tests::outside::{Outside, Wishes};

const LONG: Duration = Duration::from_secs(60);

struct Said {
    code: Option<i32>,
    out: String,
    notes: String,
}

struct Owner(Outside);

impl Owner {
    fn says(&self, words: &str) -> Said {
        // Words in quotation marks belong together.
        let mut all: Vec<&str> = Vec::new();
        for (place, part) in words.split('"').enumerate() {
            if place % 2 == 1 { all.push(part) } else { all.extend(part.split_whitespace()) }
        }
        let output = self.0.steward(&[&["universe"], all.as_slice()].concat());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { code: output.status.code(), out: text(&output.stdout), notes: text(&output.stderr) }
    }

    fn json(&self, words: &str) -> Value {
        let said = self.says(&format!("{words} --json"));
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {} {}", said.out, said.notes))
    }

    fn done(&self, words: &str) -> Said {
        let said = self.says(words);
        assert_eq!(said.code, Some(0), "{words}: {} {}", said.out, said.notes);
        said
    }

    /// Refused with a sentence that names what is wrong; nothing is changed.
    fn refused(&self, words: &str, why: &str) {
        let before = self.json("list --all");
        let said = self.says(words);
        assert_eq!(said.code, Some(1), "{words}: {} {}", said.out, said.notes);
        assert!(said.notes.contains(why), "{words}: {}", said.notes);
        assert_eq!(self.json("list --all"), before, "{words} changed something");
    }
}

fn cell<'a>(rows: &'a Value, ticker: &str, name: &str) -> &'a Value {
    let row = rows.as_array().unwrap().iter().find(|row| row["symbol"] == ticker);
    &row.unwrap_or_else(|| panic!("{ticker} is not listed: {rows:#}"))[name]
}

#[test]
fn the_owner_lists_adds_changes_corrects_and_takes_out() {
    let mut outside = Outside::new(&Wishes {
        tickers: &["RHNA.EU", "NRDW.US"],
        ingest: "history_days = 400\n".into(),
        ..Wishes::default()
    });
    outside.start("steward-ingest");
    let mut bus = outside.bus("steward-owner");
    bus.wait_for::<History>("the first past is read", LONG, |history| history.complete_until.len() == 2);
    let owner = Owner(outside);
    assert_eq!(owner.json("list").as_array().unwrap().len(), 2);
    let shown = owner.done("list").out;
    assert!(shown.contains("RHNA.EU") && shown.contains("Rheinau Automation SE"), "{shown}");

    // By ISIN, with progress until its past is there; by ticker; by name.
    let by_isin = owner.done("add GB009SMX0155 --wait");
    assert!(by_isin.out.contains("THMB.EU") && by_isin.notes.contains("history: "), "{}", by_isin.notes);
    assert!(owner.done("add TLPK.EU --wait").out.contains("TLPK.EU"));
    assert!(owner.done("add \"Oakmere Realty\" --wait").out.contains("OAKM.US"));
    let listed = owner.json("list");
    assert_eq!(listed.as_array().unwrap().len(), 5);
    for (ticker, mic, ccy) in
        [("THMB.EU", "XLON", "GBP"), ("TLPK.EU", "XAMS", "EUR"), ("OAKM.US", "XNYS", "USD")]
    {
        assert_eq!(
            (cell(&listed, ticker, "mic"), cell(&listed, ticker, "currency")),
            (&mic.into(), &ccy.into())
        );
        assert_eq!(cell(&listed, ticker, "allow_buy"), &Value::from(0), "{ticker} is only watched at first");
        assert!(cell(&listed, ticker, "bars").as_i64().unwrap() > 200, "{ticker}");
    }

    // What is permitted and wanted.
    owner.done("set THMB.EU --buy on --sell on --min 2 --max 10 --priority 1.5 --exit off");
    let thames = owner.json("show THMB.EU");
    let security = &thames["security"];
    assert_eq!((&security["allow_buy"], &security["allow_sell"]), (&1.into(), &1.into()));
    assert_eq!((&security["min_target"], &security["max_target"]), (&0.02.into(), &0.1.into()));
    assert_eq!(security["priority_multiplier"], 1.5);
    assert!(owner.done("show GB009SMX0155").out.contains("bars"), "an ISIN names it as well");

    // Each field is corrected by itself and given back by itself.
    for (option, column, value) in [
        ("name", "name", "Thames by its owner"),
        ("country", "country", "FR"),
        ("industry", "industries", "Boats"),
        ("product-type", "product_type", "etf"),
    ] {
        let before = owner.json("show THMB.EU")["security"].clone();
        owner.done(&format!("set THMB.EU --{option} \"{value}\""));
        let after = owner.json("show THMB.EU")["security"].clone();
        assert_eq!(after[column], *value, "{option}");
        for (other, old) in before.as_object().unwrap() {
            assert!(other == column || after[other] == *old, "--{option} changed {other} as well");
        }
        owner.done(&format!("set THMB.EU --{option} \"\""));
        assert_eq!(owner.json("show THMB.EU")["security"], before, "{option} was given back");
    }
    owner.done("set THMB.EU --yahoo-symbol TMB.L");

    for (words, why) in [
        ("add GB009SMX0155", "is in the universe already"),
        ("add rhna.eu", "is in the universe already"),
        ("add GB009SMX0156", "check digit"),
        ("add \"no such thing at all\"", "the broker knows nothing called"),
        ("add Meridian", "may be"),
        ("add \" \"", "name an ISIN, a ticker or a name"),
        ("add EUR/USD", "EUR/USD"),
        ("add VNDH.EU --mic XPAR", "the broker knows nothing called"),
        ("set THMB.EU --max 31", "`max_weight` must be 0 to 30 %"),
        ("set THMB.EU --min 21", "`min_weight` must be 0 to 20 %"),
        ("set THMB.EU --min 11", "above its `max_weight`"),
        ("set THMB.EU --max=-1", "percentage"),
        ("set THMB.EU --priority 3.1", "`priority` must be 0.1 to 3"),
        ("set THMB.EU --country Germany", "country"),
        ("set THMB.EU --product-type share", "product"),
        ("set THMB.EU --active off", "deactivate"),
        ("set NOPE.US --buy on", "neither an ISIN nor a ticker"),
        ("set US0378331005 --buy on", "is not in the universe"),
        ("deactivate NOPE.US", "neither an ISIN nor a ticker"),
        ("refresh US0378331005", "is not in the universe"),
        ("show US0378331005", "is not in the universe"),
        ("deactivate TLPK.EU", "nobody has said yet whether TLPK.EU is held"),
    ] {
        owner.refused(words, why);
    }

    // What is held is not forgotten by mistake.
    let Owner(mut outside) = owner;
    outside.start("steward-portfolio");
    let mut bus = outside.bus("steward-books");
    let nordwell =
        |state: &PortfolioState| state.positions.iter().any(|one| one.isin.as_str() == "US99S0011099");
    bus.wait_for::<PortfolioState>("the account was read", LONG, nordwell);
    let owner = Owner(outside);
    owner.refused("deactivate NRDW.US", "is held; sell it first");
    assert!(owner.done("deactivate TLPK.EU \"Not any more.\"").out.contains("its history stays"));
    assert_eq!(owner.json("list").as_array().unwrap().len(), 4);
    let all = owner.json("list --all");
    assert_eq!(cell(&all, "TLPK.EU", "active"), &Value::from(0));
    assert!(cell(&all, "TLPK.EU", "bars").as_i64().unwrap() > 200);
    owner.refused("add TLPK.EU", "brings it back");
    owner.done("set TLPK.EU --active on");
    assert_eq!(owner.json("list").as_array().unwrap().len(), 5);
    assert!(owner.done("refresh TLPK.EU").out.contains("1 securities are read again"));

    // Without a bus nothing is asked.
    let Owner(mut outside) = owner;
    outside.kill("steward-broker");
    let owner = Owner(outside);
    assert_eq!(owner.says("set THMB.EU --buy off").code, Some(3));
    assert_eq!(owner.json("list").as_array().unwrap().len(), 5, "what is stored can still be read");
}
