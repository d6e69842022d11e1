//! The planner and one evaluator in this process, on real stores, without a bus: what one says the other hears at once.

use std::path::Path;

use bus_client::{Config, Engine, Place, Publication};
use contracts::{
    Address, Body, Envelope, Id, PlanContext, PlanJob, PlanProposed, PlanResult, TopicId, receive,
};
use evaluate::Evaluate;
use market::Timestamp;
use plan::Plan;
use tempfile::TempDir;

pub struct Rig {
    _folder: TempDir,
    plan: Engine<Plan>,
    evaluate: Engine<Evaluate>,
    now: Timestamp,
    versions: u64,
    pub context: Option<PlanContext>,
    pub plans: Vec<PlanProposed>,
}

impl Rig {
    /// A planner with these settings, at this time.
    pub fn new(settings: &str, now: Timestamp) -> Rig {
        let folder = TempDir::new().unwrap();
        let text = format!("environment = \"sim:1\"\ndir = \"x\"\n[stage.plan]\n{settings}");
        let config = Config::parse(&text, &folder.path().join("steward.toml")).unwrap();
        let place = |path: &Path, name: &str| Some(Place::File(path.join(name)));
        Rig {
            plan: Engine::open(&config, "plan", place(folder.path(), "plans.db"), now).unwrap(),
            evaluate: Engine::open(&config, "evaluate", None, now).unwrap(),
            _folder: folder,
            now,
            versions: 0,
            context: None,
            plans: Vec::new(),
        }
    }

    /// Says something as the stage that owns it.
    pub fn say<B: Body>(&mut self, body: B) {
        let payload = self.envelope(&body);
        let topic = B::TOPIC.spec().address("steward", &body.key());
        let said = self.plan.deliver(&topic, &payload, self.now).unwrap();
        self.take(said);
    }

    /// Lets the planner act until it has nothing to do for a second.
    pub fn settle(&mut self) {
        let end = self.now.saturating_plus_ms(1_000);
        while let Some(then) = self.plan.wake_at().filter(|then| *then <= end) {
            self.now = self.now.max(then);
            let said = self.plan.tick(self.now).unwrap();
            self.take(said);
        }
    }

    /// The last plan.
    pub fn plan(&self) -> &PlanProposed {
        self.plans.last().expect("a plan was made")
    }

    fn envelope<B: Body>(&mut self, body: &B) -> Vec<u8> {
        self.versions += 1;
        let id = Id::derive(self.now, &["rig", &self.versions.to_string()]);
        let stage = B::TOPIC.spec().owners[0].to_string();
        let body = body.clone();
        Envelope { id, key_version: self.versions, at: self.now, stage, trace: id, cause: None, body }
            .encode()
            .unwrap()
    }

    fn take(&mut self, said: Vec<Publication>) {
        for Publication { topic, payload, .. } in said {
            let address = Address::parse("steward", &topic).unwrap();
            match address.topic {
                TopicId::PlanContext => {
                    self.context = receive::<PlanContext>(&address.key, &payload).unwrap().body;
                    self.evaluate.deliver(&topic, &payload, self.now).unwrap();
                }
                TopicId::PlanJob => {
                    let _: Option<PlanJob> = receive(&address.key, &payload).unwrap().body;
                    for answer in self.evaluate.deliver(&topic, &payload, self.now).unwrap() {
                        let address = Address::parse("steward", &answer.topic).unwrap();
                        if address.topic == PlanResult::TOPIC {
                            let more = self.plan.deliver(&answer.topic, &answer.payload, self.now).unwrap();
                            self.take(more);
                        }
                    }
                }
                TopicId::PlanProposed => {
                    self.plans.extend(receive::<PlanProposed>(&address.key, &payload).unwrap().body);
                }
                _ => {}
            }
        }
    }
}
