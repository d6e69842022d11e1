//! The market-data services at their front doors.

use serde_json::Value;

use super::{WALL_S, at, wait, world};
use crate::core::dates::{day_at, day_of};
use crate::{Delivery, Effect, FaultRule, Knobs, Profile, RawReply, RawRequest, When, World};

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36";

fn call(world: &mut World, path: &str, cookie: &str) -> Delivery {
    let headers = [("User-Agent", BROWSER), ("Cookie", cookie)];
    let request = RawRequest {
        method: "GET".into(),
        path: path.into(),
        headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        body: Vec::new(),
    };
    world.exchange(&request, WALL_S)
}

fn get(world: &mut World, path: &str) -> RawReply {
    call(world, path, "").reply().unwrap()
}

fn text(reply: &RawReply) -> String {
    String::from_utf8(reply.body.clone()).unwrap()
}

fn json(world: &mut World, path: &str) -> Value {
    let reply = get(world, path);
    assert_eq!(reply.status, 200, "{path}: {}", text(&reply));
    serde_json::from_slice(&reply.body).unwrap()
}

/// Fetches cookie and crumb and returns both.
fn session(world: &mut World) -> (String, String) {
    let cookie_page = get(world, "/yh/");
    let set = cookie_page.headers.iter().find(|(name, _)| name == "Set-Cookie").unwrap().1.clone();
    let cookie = set.split(';').next().unwrap().to_owned();
    let crumb = text(&call(world, "/yh/v1/test/getcrumb", &cookie).reply().unwrap());
    (cookie, crumb)
}

fn guarded(world: &mut World, path: &str) -> Value {
    let (cookie, crumb) = session(world);
    let crumb = crumb.replace('/', "%2F");
    let reply = call(world, &format!("{path}&crumb={crumb}"), &cookie).reply().unwrap();
    assert_eq!(reply.status, 200, "{}", text(&reply));
    serde_json::from_slice(&reply.body).unwrap()
}

fn here(profile: Profile) -> World {
    world("2026-03-02T15:00:00", profile, "default")
}

fn closes(chart: &Value) -> Vec<Option<f64>> {
    let closes = &chart["chart"]["result"][0]["indicators"]["quote"][0]["close"];
    closes.as_array().unwrap().iter().map(Value::as_f64).collect()
}

fn fault(world: &mut World, target: &str, cmd: &str, effect: Effect) {
    let rule = FaultRule {
        id: "f".into(),
        target: target.into(),
        cmd: cmd.into(),
        ticker: "*".into(),
        when: When::Prob(1.0),
        max: None,
        effect,
    };
    world.put_fault(rule).unwrap();
}

#[test]
fn a_chart_carries_the_simulators_own_closes_in_the_unit_of_the_exchange() {
    let mut world = here(Profile::Clean);
    for (symbol, ticker, currency, unit) in [
        ("NRDW", "NRDW.US", "USD", 1.0),
        ("THMB.L", "THMB.EU", "GBp", 100.0),
        ("0098.HK", "PEARL.98.AS", "HKD", 1.0),
    ] {
        let chart = json(&mut world, &format!("/yh/v8/finance/chart/{symbol}?range=1y&interval=1d"));
        let result = &chart["chart"]["result"][0];
        assert_eq!(result["meta"]["currency"], currency);
        let stamps: Vec<i64> =
            result["timestamp"].as_array().unwrap().iter().map(|v| v.as_i64().unwrap()).collect();
        let shown = closes(&chart);
        assert!(shown.len() > 240 && shown.len() == stamps.len(), "{symbol} {}", shown.len());
        let index = world.market.find(ticker).unwrap();
        for (stamp, close) in stamps.iter().zip(shown).take(200) {
            let day = day_at(stamp * 1000);
            let (n, d) = world.market.rebase(index, day, day_of(2026, 3, 2));
            let truth = world.market.close_on_or_before(index, day).unwrap();
            assert_eq!((truth.day, n, d), (day, 1, 1));
            assert!((close.unwrap() - truth.close_e6 as f64 / 1e6 * unit).abs() < 1e-6, "{symbol} {day}");
        }
    }
}

#[test]
fn splits_rebase_the_past_and_are_reported_with_dividends() {
    let mut world = here(Profile::Clean);
    let path =
        "/yh/v8/finance/chart/VNTX?period1=1752000000&period2=1758000000&interval=1d&events=div%2Csplits";
    let chart = json(&mut world, path);
    let result = &chart["chart"]["result"][0];
    let split = result["events"]["splits"].as_object().unwrap().values().next().unwrap().clone();
    assert_eq!((split["numerator"].as_i64(), split["splitRatio"].as_str()), (Some(4), Some("4:1")));
    let all = closes(&chart);
    let jumps = all.windows(2).filter(|w| (w[1].unwrap() / w[0].unwrap()).ln().abs() > 0.5).count();
    assert_eq!(jumps, 0, "a split must not look like a crash");
    let paid = json(&mut world, "/yh/v8/finance/chart/CRWN.L?range=1y&events=div");
    let amount = &paid["chart"]["result"][0]["events"]["dividends"];
    let pounds = amount.as_object().unwrap().values().next().unwrap()["amount"].as_f64().unwrap();
    assert!(pounds < 2.0, "dividends of this one come in pounds: {pounds}");
    let pence = json(&mut world, "/yh/v8/finance/chart/THMB.L?range=1y&events=div");
    let amount = &pence["chart"]["result"][0]["events"]["dividends"];
    assert!(amount.as_object().unwrap().values().next().unwrap()["amount"].as_f64().unwrap() > 0.5);
}

#[test]
fn on_an_ordinary_day_rows_are_missing_doubled_and_wrong_by_a_hundred() {
    let mut world = here(Profile::LiveLike);
    let ten_years = "period1=1456790400&period2=1772500000&interval=1d";
    let chart = json(&mut world, &format!("/yh/v8/finance/chart/THMB.L?{ten_years}"));
    let all = closes(&chart);
    let gaps = all.iter().filter(|c| c.is_none()).count();
    assert!((1..20).contains(&gaps), "{gaps} of {}", all.len());
    let present: Vec<f64> = all.iter().flatten().copied().collect();
    let slips = present.windows(2).filter(|w| w[1] < w[0] / 50.0).count();
    assert!((1..15).contains(&slips), "{slips}");
    let stamps = chart["chart"]["result"][0]["timestamp"].as_array().unwrap();
    let last_two: Vec<i32> =
        stamps.iter().rev().take(2).map(|s| day_at(s.as_i64().unwrap() * 1000)).collect();
    assert_eq!(last_two[0], last_two[1], "in session the live row repeats the day");
    let clean = json(&mut here(Profile::Clean), &format!("/yh/v8/finance/chart/THMB.L?{ten_years}"));
    assert!(closes(&clean).iter().all(Option::is_some));
}

#[test]
fn unknown_symbols_and_wrong_spans_are_refused_in_yahoos_words() {
    let mut world = here(Profile::LiveLike);
    let missing = get(&mut world, "/yh/v8/finance/chart/NOPE?range=1d");
    assert_eq!(missing.status, 404);
    assert!(text(&missing).contains("No data found, symbol may be delisted"));
    assert_eq!(get(&mut world, "/yh/v8/finance/chart/NRDW?range=7q").status, 400);
    assert_eq!(get(&mut world, "/yh/v8/finance/chart/NRDW?period1=9&period2=3").status, 400);
    assert_eq!(get(&mut world, "/yh/v8/finance/chart/NRDW?interval=3m").status, 422);
    assert_eq!(world.unmodelled().len(), 1);
    let before_listing = json(&mut world, "/yh/v8/finance/chart/NRDW?period1=1000&period2=2000");
    assert!(before_listing["chart"]["result"][0]["timestamp"].is_null());
}

#[test]
fn cookie_and_crumb_belong_together_and_age() {
    let mut world = here(Profile::LiveLike);
    let (cookie, crumb) = session(&mut world);
    assert_eq!(crumb.len(), 11);
    let path = format!("/yh/v7/finance/quote?symbols=NRDW&crumb={}", crumb.replace('/', "%2F"));
    assert_eq!(call(&mut world, &path, &cookie).reply().unwrap().status, 200);
    let stranger = call(&mut world, &path, "A3=sim-1").reply().unwrap();
    assert_eq!(stranger.status, 401);
    assert!(text(&stranger).contains("Invalid Crumb"));
    wait(&mut world, 7_200);
    assert_eq!(call(&mut world, &path, &cookie).reply().unwrap().status, 200);
    wait(&mut world, 1);
    assert_eq!(call(&mut world, &path, &cookie).reply().unwrap().status, 401);
    assert_eq!(get(&mut world, "/yh/v1/test/getcrumb").status, 401);
}

#[test]
fn the_two_yields_have_the_two_units_of_the_real_service() {
    let mut world = here(Profile::Clean);
    let quote = guarded(&mut world, "/yh/v7/finance/quote?symbols=PRVL,NOPE,THMB.L");
    let rows = quote["quoteResponse"]["result"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "unknown symbols are left out");
    let path = "/yh/v10/finance/quoteSummary/PRVL?modules=summaryDetail,financialData,assetProfile,defaultKeyStatistics,quoteType";
    let summary = guarded(&mut world, path);
    let modules = &summary["quoteSummary"]["result"][0];
    let (percent, fraction) = (
        rows[0]["dividendYield"].as_f64().unwrap(),
        modules["summaryDetail"]["dividendYield"].as_f64().unwrap(),
    );
    assert!((percent / fraction - 100.0).abs() < 1e-2, "{percent} {fraction}");
    assert!(modules["financialData"]["debtToEquity"].as_f64().unwrap() > 5.0, "percent");
    assert!(modules["financialData"]["profitMargins"].as_f64().unwrap() < 1.0, "fraction");
    assert_eq!(modules["assetProfile"]["country"], "United States");
    assert!(modules["financialData"]["targetMeanPrice"].as_f64().unwrap() > 1.0);
    let loss =
        guarded(&mut world, "/yh/v10/finance/quoteSummary/HLXB?modules=summaryDetail,defaultKeyStatistics");
    let loss = &loss["quoteSummary"]["result"][0];
    assert!(loss["summaryDetail"]["trailingPE"].is_null());
    assert!(loss["defaultKeyStatistics"]["forwardPE"].as_f64().unwrap() < 0.0);
    let fund = guarded(&mut world, "/yh/v10/finance/quoteSummary/QXTM?modules=topHoldings,assetProfile");
    assert!(fund["quoteSummary"]["result"][0]["assetProfile"].is_null());
    assert!(fund["quoteSummary"]["result"][0]["topHoldings"]["sectorWeightings"].is_array());
    let series =
        "/yh/ws/fundamentals-timeseries/v1/finance/timeseries/PRVL?symbol=PRVL&type=trailingPegRatio";
    assert_eq!(guarded(&mut world, series)["timeseries"]["result"][0]["meta"]["type"][0], "trailingPegRatio");
    assert_eq!(world.unmodelled(), Vec::<String>::new());
}

#[test]
fn a_search_by_isin_names_the_wrong_venue_first() {
    let mut world = here(Profile::LiveLike);
    let found = json(&mut world, "/yh/v1/finance/search?q=DE000SMX0015&quotesCount=8&newsCount=0");
    let symbols: Vec<&str> =
        found["quotes"].as_array().unwrap().iter().filter_map(|q| q["symbol"].as_str()).collect();
    assert_eq!(symbols, ["RHNA.F", "RHNA.DE"]);
    assert_eq!(json(&mut world, "/yh/v1/finance/search?q=US00000000X0")["count"], 0);
}

#[test]
fn indicators_move_around_their_means() {
    let mut world = here(Profile::Clean);
    for (symbol, low, high) in
        [("%5EVIX", 8.0, 80.0), ("%5EIRX", 1.0, 7.0), ("%5ETNX", 1.0, 8.0), ("EURUSD%3DX", 0.7, 1.6)]
    {
        let chart = json(&mut world, &format!("/yh/v8/finance/chart/{symbol}?range=2y&interval=1d"));
        let all: Vec<f64> = closes(&chart).into_iter().flatten().collect();
        assert!(all.len() > 480, "{symbol} {}", all.len());
        assert!(all.iter().all(|v| (low..high).contains(v)), "{symbol} {all:?}");
    }
}

#[test]
fn moods_of_yahoo_are_knobs() {
    let mut world = here(Profile::LiveLike);
    world.set_knobs(Knobs { yahoo_down: true, ..Knobs::default() });
    let outage = get(&mut world, "/yh/v8/finance/chart/NRDW?range=1d");
    assert_eq!(outage.status, 200);
    assert!(text(&outage).contains("Will be right back"));
    world.set_knobs(Knobs { yahoo_rate_429_after_n: Some(2), ..Knobs::default() });
    let statuses: Vec<u16> =
        (0..3).map(|_| get(&mut world, "/yh/v8/finance/chart/NRDW?range=1d").status).collect();
    assert_eq!(statuses, [200, 200, 429], "an outage counts nothing");
    wait(&mut world, 3_600);
    assert_eq!(get(&mut world, "/yh/v8/finance/chart/NRDW?range=1d").status, 200);
    world.set_knobs(Knobs { yahoo_no_fundamentals: true, ..Knobs::default() });
    let (cookie, crumb) = session(&mut world);
    let path = format!(
        "/yh/v10/finance/quoteSummary/NRDW?modules=financialData&crumb={}",
        crumb.replace('/', "%2F")
    );
    assert_eq!(call(&mut world, &path, &cookie).reply().unwrap().status, 404);
    world.set_knobs(Knobs { yahoo_block_plain_clients: true, ..Knobs::default() });
    let plain = RawRequest {
        method: "GET".into(),
        path: "/yh/v8/finance/chart/NRDW?range=1d".into(),
        headers: vec![("User-Agent".into(), "python-requests/2.32".into())],
        body: Vec::new(),
    };
    assert_eq!(world.exchange(&plain, WALL_S).reply().unwrap().status, 429);
    assert_eq!(get(&mut world, "/yh/v8/finance/chart/NRDW?range=1d").status, 200);
}

#[test]
fn the_bank_and_its_mirror_say_the_same_and_nothing_on_weekends() {
    let mut world = world("2026-03-02T14:00:00", Profile::LiveLike, "default");
    let daily = text(&get(&mut world, "/ecb/stats/eurofxref/eurofxref-daily.xml"));
    assert!(daily.contains("<Cube time='2026-02-27'>"), "today's rates come at 16:00: {daily}");
    let latest = json(&mut world, "/ff/v1/latest?base=EUR&symbols=USD,HKD");
    assert_eq!(latest["date"], "2026-02-27");
    let dollar = latest["rates"]["USD"].as_f64().unwrap().to_string();
    assert!(daily.contains(&format!("currency='USD' rate='{dollar}'")), "{dollar} {daily}");
    assert_eq!(latest["rates"].as_object().unwrap().len(), 2);
    world.advance_to(at("2026-03-02T15:00:00"));
    assert!(text(&get(&mut world, "/ecb/stats/eurofxref/eurofxref-daily.xml")).contains("time='2026-03-02'"));
    let sunday = json(&mut world, "/ff/v1/2026-03-01");
    assert_eq!(sunday["date"], "2026-02-27");
    let range = json(&mut world, "/ff/v1/2026-02-20..2026-03-01?symbols=GBP");
    let days: Vec<&String> = range["rates"].as_object().unwrap().keys().collect();
    assert_eq!(days, ["2026-02-20", "2026-02-23", "2026-02-24", "2026-02-25", "2026-02-26", "2026-02-27"]);
    let quarter = text(&get(&mut world, "/ecb/stats/eurofxref/eurofxref-hist-90d.xml"));
    let count = quarter.matches("<Cube time=").count();
    assert!((55..66).contains(&count), "{count}");
    let history = text(&get(&mut world, "/ecb/stats/eurofxref/eurofxref-hist.xml"));
    assert!(history.matches("<Cube time=").count() > 2_800);
    assert_eq!(get(&mut world, "/ff/v1/latest?base=XXX").status, 404);
}

#[test]
fn figi_answers_job_by_job_within_its_limits() {
    let mut world = here(Profile::LiveLike);
    let mut post = |body: &str| {
        let request = RawRequest {
            method: "POST".into(),
            path: "/figi/v3/mapping".into(),
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        };
        world.exchange(&request, WALL_S).reply().unwrap()
    };
    let reply = post(
        r#"[{"idType":"ID_ISIN","idValue":"DE000SMX0015","exchCode":"GR"},{"idType":"ID_ISIN","idValue":"US0000000000"},
            {"idType":"ID_ISIN","idValue":"DE000SMX0015","micCode":"XPAR"},{"idType":"TICKER","idValue":"X"}]"#,
    );
    let answers: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(answers[0]["data"][0]["ticker"], "RHNA");
    assert_eq!(answers[1]["warning"], "No identifier found.");
    assert!(answers[2]["warning"].is_string() && answers[3]["error"].is_string());
    let job = r#"{"idType":"ID_ISIN","idValue":"DE000SMX0015"}"#;
    assert_eq!(post(&format!("[{}]", [job; 6].join(","))).status, 413);
    assert_eq!((0..30).map(|_| post("[]").status).filter(|s| *s == 429).count(), 7);
}

#[test]
fn stooq_gives_bars_as_text_and_says_no_data_with_status_200() {
    let mut world = here(Profile::LiveLike);
    let rows = text(&get(&mut world, "/stooq/q/d/l/?s=nrdw.us&d1=20260202&d2=20260227&i=d"));
    let lines: Vec<&str> = rows.lines().collect();
    assert_eq!(lines[0], "Date,Open,High,Low,Close,Volume");
    assert_eq!(lines.len(), 20, "19 sessions in February 2026 from the 2nd");
    assert!(lines[1].starts_with("2026-02-02,"));
    for path in
        ["s=nope.us&i=d", "s=rhna.fr&i=d", "s=nrdw.us&d1=20200101&d2=20190101&i=d", "s=nrdw.us&d1=today&i=d"]
    {
        let reply = get(&mut world, &format!("/stooq/q/d/l/?{path}"));
        assert_eq!((reply.status, text(&reply).as_str()), (200, "No data"), "{path}");
    }
    let pounds = json(&mut world, "/yh/v8/finance/chart/THMB.L?range=5d");
    let pence = closes(&pounds).into_iter().flatten().next().unwrap();
    assert!(pence > 100.0);
}

#[test]
fn faults_reach_the_market_data_services_as_well() {
    let mut world = here(Profile::Clean);
    let chart = "/yh/v8/finance/chart/THMB.L?range=5d";
    let plain = closes(&json(&mut world, chart));
    fault(&mut world, "yh", "chart", Effect::Spike { factor: "10".into() });
    let spiked = closes(&json(&mut world, chart));
    assert!((spiked[0].unwrap() / plain[0].unwrap() - 10.0).abs() < 1e-6);
    fault(&mut world, "yh", "chart", Effect::WrongCurrency);
    assert_eq!(json(&mut world, chart)["chart"]["result"][0]["meta"]["currency"], "GBP");
    fault(&mut world, "yh", "*", Effect::RateLimit { body: false, retry_after: 5 });
    let limited = get(&mut world, chart);
    assert_eq!(limited.status, 429);
    assert!(limited.headers.iter().all(|(name, _)| name != "Retry-After"));
    fault(&mut world, "ecb", "*", Effect::Malformed);
    assert!(
        text(&get(&mut world, "/ecb/stats/eurofxref/eurofxref-daily.xml")).starts_with("<!doctype html>")
    );
    fault(&mut world, "ff", "*", Effect::TimeoutBefore { ms: 5 });
    assert_eq!(call(&mut world, "/ff/v1/latest", ""), Delivery::TimedOut { after_ms: 5 });
    fault(&mut world, "stooq", "*", Effect::RateLimit { body: false, retry_after: 5 });
    assert_eq!(text(&get(&mut world, "/stooq/q/d/l/?s=nrdw.us&i=d")), "Exceeded the daily hits limit");
    fault(&mut world, "yh", "chart", Effect::SplitUnannounced);
    let silent = json(&mut world, "/yh/v8/finance/chart/VNTX?range=1y&events=split");
    assert!(silent["chart"]["result"][0]["events"]["splits"].is_null());
    assert!(
        world.requests(0).iter().any(|entry| entry.target == "ecb" && entry.rule.as_deref() == Some("f"))
    );
}

#[test]
fn two_worlds_of_one_seed_answer_byte_for_byte_alike() {
    for path in [
        "/yh/v8/finance/chart/NRDW?range=1y&events=div",
        "/yh/v1/finance/search?q=NRDW",
        "/ecb/stats/eurofxref/eurofxref-hist-90d.xml",
    ] {
        let answers: Vec<RawReply> = (0..2).map(|_| get(&mut here(Profile::Nasty), path)).collect();
        assert_eq!(answers[0], answers[1], "{path}");
    }
}
