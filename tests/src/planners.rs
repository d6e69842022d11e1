//! A planner and its evaluators as real processes on a real broker, and a fund of forty holdings to plan for.
//!
//! What the other stages would say is said by one client; the clock is the real one.

use std::{
    collections::BTreeMap,
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use contracts::{
    Address, Body, Cash, Envelope, Finite, FxRates, Health, HealthState, Id, OrderRequested, PlanContext,
    PlanJob, PlanProposed, PortfolioState, Position, Quote, RiskHalt, Sample, Security, SecurityScore,
    SettingsSnapshot, TargetWeight, TargetWeights, TopicId, Universe, Venue, Windfall, receive,
};
use market::{Isin, Timestamp};
use money::{Currency, Money, Price, Quantity, Weight};

use crate::processes::{Demo, Listener, Speaker, eventually, ports, programs};

/// Holdings of the fund.
pub const HOLDINGS: i64 = 40;
/// What each holding is worth on average, in EUR.
const VALUE: i64 = 20_000;
const DAY_MS: i64 = 86_400_000;

/// Running programs in a folder of their own.
pub struct Planners {
    running: Vec<(String, Child)>,
    folder: tempfile::TempDir,
    bus: Listener,
    voice: Speaker,
    port: u16,
    password: String,
    versions: u64,
}

/// One planning run as it was seen on the bus.
pub struct Seen {
    /// From the new holdings to the context.
    pub until_context: Duration,
    /// From the context to the plan.
    pub until_plan: Duration,
    /// What was planned from.
    pub context: PlanContext,
    /// Jobs by number, in their last attempt.
    pub jobs: Vec<PlanJob>,
    /// Bytes of context, jobs and results.
    pub bytes: usize,
    /// What came of it.
    pub plan: PlanProposed,
}

impl Planners {
    /// Starts a broker, a planner with these settings and so many evaluators, and tells them of the fund.
    ///
    /// # Panics
    /// When a program does not start.
    #[must_use]
    pub fn start(evaluators: u32, settings: &str) -> Planners {
        // Halted: what is planned is what counts here, and nothing is asked for.
        Planners::with_fund(evaluators, settings, bus_client::wall(), true)
    }

    /// The same on a morning on which no price is fresh yet, so that nothing can be planned before the first quote, with
    /// nothing that keeps an order back, and without the pauses in which a planner lets things settle.
    ///
    /// # Panics
    /// As [`Planners::start`].
    #[must_use]
    pub fn before_the_first_quote(evaluators: u32) -> Planners {
        let yesterday = bus_client::wall().saturating_minus_ms(DAY_MS);
        let mut planners = Planners::with_fund(
            evaluators,
            "settle_ms = 0\nsettle_state_ms = 0\nevery_ms = 0\n",
            yesterday,
            false,
        );
        planners.say("portfolio", state("state-1", bus_client::wall()));
        planners
    }

    fn with_fund(evaluators: u32, settings: &str, quoted: Timestamp, halted: bool) -> Planners {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = ports();
        let text = format!(
            "environment = \"live\"\ndir = \".\"\n[bus]\nurl = \"mqtt://127.0.0.1:{port}\"\n[stage.plan]\n{settings}"
        );
        fs::write(folder.path().join("steward.toml"), text).expect("a configuration");
        let broker = program(folder.path(), "steward-broker", None);
        eventually("the broker listens", Duration::from_secs(20), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        let password = fs::read_to_string(folder.path().join("credentials/steward")).expect("a password");
        let password = password.trim().to_string();
        let bus = Listener::connect(port, "steward-planners", Some(("steward", &password)));
        let voice = Speaker::new(port, "steward-world", Some(("steward", &password)));
        let mut planners = Planners {
            running: vec![("broker".into(), broker)],
            folder,
            bus,
            voice,
            port,
            password,
            versions: 1 << 40,
        };
        planners.begin("plan", None);
        for number in 1..=evaluators {
            planners.begin("evaluate", Some(number));
        }
        planners.say_fund(quoted, halted);
        planners
    }

    fn begin(&mut self, stage: &str, instance: Option<u32>) {
        let child = program(self.folder.path(), &format!("steward-{stage}"), instance);
        let name = instance.map_or(stage.to_string(), |number| format!("{stage}-{number}"));
        self.running.push((name.clone(), child));
        self.bus.wait_for::<Health>(&format!("{name} is healthy"), Duration::from_secs(20), |health| {
            health.stage == name && health.state == HealthState::Healthy
        });
    }

    /// The process of a stage or an evaluator, for example `evaluate-1`.
    #[must_use]
    pub fn pid(&self, name: &str) -> Option<u32> {
        self.running.iter().find(|(known, _)| known == name).map(|(_, child)| child.id())
    }

    /// Says other holdings and waits for the plan that comes of them.
    ///
    /// # Panics
    /// When none comes.
    pub fn plan_for(&mut self, state_id: &str) -> Seen {
        let began = Instant::now();
        self.say("portfolio", state(state_id, bus_client::wall()));
        let mut context: Option<(PlanContext, Instant)> = None;
        let mut jobs = BTreeMap::new();
        let mut bytes = 0;
        let deadline = began + Duration::from_secs(60);
        while let Some((topic, payload)) = self.bus.next(deadline.saturating_duration_since(Instant::now())) {
            let Ok(address) = Address::parse("steward", &topic) else { continue };
            match address.topic {
                TopicId::PlanContext => {
                    if let Some(body) = body::<PlanContext>(&address, &payload)
                        && body.state_id == state_id
                    {
                        bytes += payload.len();
                        context = Some((body, Instant::now()));
                    }
                }
                TopicId::PlanJob => {
                    if let Some(job) = body::<PlanJob>(&address, &payload) {
                        bytes += payload.len();
                        jobs.insert(job.n, job);
                    }
                }
                TopicId::PlanResult => bytes += payload.len(),
                TopicId::PlanProposed => {
                    let plan =
                        body::<PlanProposed>(&address, &payload).filter(|plan| plan.state_id == state_id);
                    if let (Some(plan), Some((context, at))) = (plan, context.clone()) {
                        jobs.retain(|_, job| job.context_id == plan.context_id);
                        return Seen {
                            until_context: at.duration_since(began),
                            until_plan: at.elapsed(),
                            jobs: jobs.into_values().collect(),
                            context,
                            bytes,
                            plan,
                        };
                    }
                }
                _ => {}
            }
        }
        panic!("no plan for {state_id} within a minute");
    }

    /// Says the first prices of the day and waits for the first request: how long after the price that it rests on.
    ///
    /// # Panics
    /// When the listener beside breaks.
    pub fn request_for_first_quotes(&mut self) -> Option<Duration> {
        // Heard while the prices are still being said, so another one listens.
        let (port, password) = (self.port, self.password.clone());
        let (there, is_there) = std::sync::mpsc::sync_channel(1);
        let listener = std::thread::spawn(move || {
            let mut bus = Listener::connect(port, "steward-listener", Some(("steward", &password)));
            // What is retained comes first.
            bus.next(Duration::from_secs(10));
            there.send(()).expect("somebody waits for it");
            let deadline = Instant::now() + Duration::from_secs(10);
            while let Some((topic, payload)) = bus.next(deadline.saturating_duration_since(Instant::now())) {
                let Ok(address) = Address::parse("steward", &topic) else { continue };
                if address.topic == TopicId::OrderRequested
                    && let Some(request) = body::<OrderRequested>(&address, &payload)
                {
                    return Some((request.isin, Instant::now()));
                }
            }
            None
        });
        is_there.recv().expect("a listener");
        let at = bus_client::wall();
        let mut said: BTreeMap<Isin, Instant> = BTreeMap::new();
        for n in 0..HOLDINGS {
            said.insert(isin(n), Instant::now());
            self.say("ingest", quote(n, at));
        }
        let (asked, heard) = listener.join().expect("a listener")?;
        said.get(&asked).map(|said| heard.duration_since(*said))
    }

    fn say<B: Body>(&mut self, stage: &str, body: B) {
        self.versions += 1;
        let at = bus_client::wall();
        let id = Id::derive(at, &["planners", &self.versions.to_string()]);
        let topic = B::TOPIC.spec().address("steward", &body.key());
        let stage = stage.to_string();
        let envelope = Envelope { id, key_version: self.versions, at, stage, trace: id, cause: None, body };
        self.voice.publish(&topic, &envelope.encode().expect("a small statement"));
    }

    fn say_fund(&mut self, quoted: Timestamp, halted: bool) {
        let now = bus_client::wall();
        // An owner who was not heard is waited for; this one lets orders go without asking.
        self.say("keeper", SettingsSnapshot { revision: 1, values: BTreeMap::new() });
        self.say("ingest", Universe { securities: (0..HOLDINGS).map(security).collect() });
        self.say("ingest", FxRates { at: now, ..FxRates::sample() });
        self.say("ingest", Venue { next_change: Some(now.saturating_plus_ms(DAY_MS)), ..Venue::sample() });
        for n in 0..HOLDINGS {
            self.say("ingest", quote(n, quoted));
            self.say("score", score(n, now));
        }
        let weights = (0..HOLDINGS).map(target).collect();
        self.say("optimise", TargetWeights { at: now, weights, groups: vec![], ..TargetWeights::sample() });
        self.say("risk-gate", RiskHalt { halted, halts: vec![], at: now });
    }
}

impl Drop for Planners {
    fn drop(&mut self) {
        for (_, child) in &mut self.running {
            // A stopped process takes no other signal.
            Demo::signal(child.id(), "-CONT");
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn program(folder: &std::path::Path, name: &str, instance: Option<u32>) -> Child {
    let mut command = Command::new(programs().join(name));
    command.arg("--config").arg(folder.join("steward.toml")).stderr(Stdio::null()).stdout(Stdio::null());
    if let Some(number) = instance {
        command.args(["--instance", &number.to_string()]);
    }
    command.spawn().expect("the programs are built")
}

fn body<B: Body>(address: &Address, payload: &[u8]) -> Option<B> {
    receive::<B>(&address.key, payload).ok()?.body
}

fn isin(n: i64) -> Isin {
    Isin::with_check_digit(&format!("XB{n:09}")).expect("nine digits")
}

fn price(e6: i64) -> Price {
    Price::from_e6(e6).expect("a positive price")
}

fn number(number: f64) -> Finite {
    Finite::new(number).expect("a number")
}

fn security(n: i64) -> Security {
    let countries = ["DE", "FR", "NL", "IT", "ES", "US", "JP", "GB"];
    let place = usize::try_from(n).unwrap_or(0);
    Security {
        isin: isin(n),
        ticker: format!("BN{n}.EU"),
        country: Some(countries[place % countries.len()].into()),
        industry: Some(format!("Industry {}", place % 10)),
        tick_e6: Some(price(10_000)),
        ..Security::sample()
    }
}

/// The first ten are far above their targets, the next twenty below, the last ten good and on target; five of those
/// gained more than their past explains.
fn target(n: i64) -> TargetWeight {
    let e6 = match n {
        0..10 => 5_000,
        10..30 => 40_000,
        _ => 20_000,
    };
    TargetWeight {
        isin: isin(n),
        weight_e6: Weight::from_e6(e6).expect("a share"),
        current_e6: Weight::ZERO,
        lower_e6: Weight::ZERO,
        upper_e6: Weight::ONE,
        expected_return: Finite::new(0.08),
        reason: String::new(),
    }
}

fn quote(n: i64, at: Timestamp) -> Quote {
    Quote {
        isin: isin(n),
        price_e6: price(50_000_000),
        bid_e6: Some(price(49_950_000)),
        ask_e6: Some(price(50_050_000)),
        at,
        ..Quote::sample()
    }
}

fn score(n: i64, at: Timestamp) -> SecurityScore {
    let varied = 0.55 + 0.01 * f64::from(u8::try_from((n * 7) % 13).unwrap_or(0));
    let good = if n >= 30 { 0.9 } else { varied };
    let windfall = (n >= 35).then(|| Windfall {
        score: number(0.9),
        excess: number(0.45),
        sell: number(0.2),
        reason: "high".into(),
    });
    let end = contracts::EndComponents {
        total_return: number(varied),
        promise: number(good * 0.9),
        stability: number(varied),
    };
    SecurityScore {
        isin: isin(n),
        at,
        total: Some(number(good)),
        quality: Some(number(good)),
        end,
        windfall,
        bars_until: Some(at.day_utc()),
        ..SecurityScore::sample()
    }
}

fn state(state_id: &str, now: Timestamp) -> PortfolioState {
    let long_ago = now.saturating_minus_ms(400 * DAY_MS);
    let eur = |units| Money::from_units(units, Currency::EUR).expect("a small amount");
    let position = |n: i64| {
        // Those in the middle cost more than they are worth now: more of them is averaging down.
        let paid = if (10..20).contains(&n) { 55_000_000 } else { 45_000_000 };
        Position {
            isin: isin(n),
            qty_e6: Quantity::from_units(VALUE / 50).expect("whole pieces"),
            avg_price_e6: Some(price(paid)),
            price_e6: Some(price(50_000_000)),
            value_eur: Some(eur(VALUE)),
            opened: Some(long_ago),
            last_buy: Some(long_ago),
            last_sell: None,
            ..PortfolioState::sample().positions[0].clone()
        }
    };
    let cash = 100_000;
    PortfolioState {
        state_id: state_id.into(),
        environment: "live".into(),
        at: now,
        positions: (0..HOLDINGS).map(position).collect(),
        cash: vec![Cash {
            bucket_id: "core".into(),
            amount: eur(cash),
            reserved: eur(0),
            pending_in: None,
            pending_out: None,
            spendable: None,
        }],
        open_orders: vec![],
        nav: Some(eur(HOLDINGS * VALUE + cash)),
        ..PortfolioState::sample()
    }
}
