//! Plays the stories of `ops/data/demo-cases.toml` through the same use cases as everybody, at the instants of the
//! stories.

use super::reference::id_of;
use crate::{
    config::Config,
    database,
    failure::{Doing, Failure},
    tools,
};
use chrono::{DateTime, Duration, Utc};
use onetrip_casework::{ActInput, Casework, CaseworkError, Clock, MaterialInput, NewCase};
use onetrip_event_log::RequestKey;
use onetrip_model::{
    CaseKind, CaseNumber, Channel, UnitCode,
    access::{Actor, Role, StaffMember},
    case::{FollowUpKind, RunOnceLimit, Verdict},
};
use prometheus::Registry;
use serde::Deserialize;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

const STORIES: &str = include_str!("../../../../ops/data/demo-cases.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stories {
    case: Vec<Story>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    #[serde(default = "appeal")]
    kind: CaseKind,
    category: String,
    division: String,
    place: Option<String>,
    words: String,
    name: Option<String>,
    phone: Option<String>,
    /// How long before now it was filed.
    hours: i64,
    story: Ending,
    score: Option<u8>,
}

fn appeal() -> CaseKind {
    CaseKind::Appeal
}

/// How far a demonstration case has come.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ending {
    Submitted,
    Accepted,
    Declined,
    Outside,
    Withdrawn,
    Handling,
    Overdue,
    Trip,
    Waived,
    Waiting,
    Asked,
    Result,
    Unrated,
    Solved,
    Partly,
    NotSolved,
    Redone,
}

/// Files and works the demonstration cases, once: a database that holds cases is left alone.
pub async fn seed(config: &Config, casework: &Casework) -> Result<(), Failure> {
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM run_once_cases)")
        .fetch_one(casework.pool())
        .await
        .doing("looking for cases")?;
    if there {
        return Ok(());
    }
    let stories: Stories = toml::from_str(STORIES).doing("reading the demonstration cases")?;
    let clock = Arc::new(AtomicI64::new(0));
    let ticking = Arc::clone(&clock);
    let told: Clock =
        Arc::new(move || DateTime::from_timestamp_micros(ticking.load(Ordering::SeqCst)).unwrap_or_default());
    let casework = database::casework(config, casework.pool().clone(), told, &Registry::new()).await?;
    let now = Utc::now();
    let bar = tools::bar("demo cases", stories.case.len() as u64);
    for (place, story) in stories.case.iter().enumerate() {
        let player = Player {
            casework: &casework,
            clock: &clock,
            filed_at: now - Duration::hours(story.hours),
        };
        player
            .play(place, story)
            .await
            .doing(format_args!("playing demonstration case {place}"))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

struct Player<'a> {
    casework: &'a Casework,
    clock: &'a AtomicI64,
    filed_at: DateTime<Utc>,
}

impl Player<'_> {
    /// Sets the clock to `hours` after the filing.
    fn at(&self, hours: f64) {
        let at = self.filed_at + Duration::seconds((hours * 3600.0) as i64);
        self.clock.store(at.timestamp_micros(), Ordering::SeqCst);
    }

    async fn act(&self, actor: &Actor, number: &CaseNumber, act: ActInput) -> Result<(), CaseworkError> {
        let channel = if matches!(actor, Actor::Staff(_)) {
            Channel::Staff
        } else {
            Channel::Portal
        };
        self.casework
            .act(actor, number, act, channel, "demo", None, None)
            .await
            .map(|_| ())
    }

    async fn play(&self, place: usize, story: &Story) -> Result<(), CaseworkError> {
        use Ending::*;
        let ending = story.story;
        self.at(0.0);
        let new = NewCase {
            category: story.category.clone(),
            words: story.words.clone(),
            division: story.division.clone(),
            place_words: story.place.clone(),
            name: story.name.clone(),
            phone: story.phone.clone(),
            new_fact: None,
            photos: Vec::new(),
            with: None,
        };
        let request = RequestKey {
            actor: "demo".to_owned(),
            key: format!("demo-{place}"),
            body_hash: [0; 32],
        };
        let submitted = self
            .casework
            .submit(
                &Actor::Visitor,
                story.kind,
                new,
                Channel::Portal,
                "demo",
                &request,
            )
            .await?;
        let number = &submitted.number;
        let Some(secret) = submitted.secret else {
            return Ok(());
        };
        let resident = self.casework.resident(number, &secret).await?;
        let street = street_of(&story.division);
        let desk = staff(Role::Clerk, &street, "desk");
        if ending == Submitted {
            return Ok(());
        }
        self.at(0.4);
        match ending {
            Withdrawn => {
                let reason = "原来是自家的问题,已经解决".to_owned();
                return self.act(&resident, number, ActInput::Withdraw { reason }).await;
            }
            Declined => {
                let act = ActInput::Decline {
                    next_unit: Some("440304-desk".to_owned()),
                    outside: None,
                    reason: "绿道由区里统一管理,已联系区诉求服务中心接手".to_owned(),
                };
                return self.act(&desk, number, act).await;
            }
            Outside => {
                let act = ActInput::Decline {
                    next_unit: None,
                    outside: Some("福田区人民法院执行局".to_owned()),
                    reason: "判决的执行由法院负责。已把法院执行局的地址、电话和需要带的材料写在这里:带判决书和身份证即可申请强制执行。".to_owned(),
                };
                return self.act(&desk, number, act).await;
            }
            _ => self.act(&desk, number, ActInput::Accept {}).await?,
        }
        if ending == Accepted {
            return Ok(());
        }
        self.at(0.6);
        let office = self.office(story, &street);
        let unit = ActInput::Assign {
            unit: office.clone(),
            contact_cadre: Some(cadre_of(&street)),
        };
        self.act(&desk, number, unit).await?;
        let handler = member("handler", Role::HandlingUnit, &street, Some(&office));
        let contact = Actor::Staff(StaffMember {
            id: onetrip_model::StaffId(cadre_of(&street)),
            role: Role::ContactCadre,
            area: street.as_str().into(),
            unit: Some(UnitCode(format!("{street}-desk"))),
            contact_districts: Vec::new(),
        });
        self.at(0.8);
        let reached = story.phone.is_some();
        let words = "已电话联系,确认了地点和情况,说明了办理时限。".to_owned();
        let follow_up = ActInput::FollowUp {
            kind: FollowUpKind::Contact,
            reached,
            words,
        };
        self.act(&contact, number, follow_up).await?;
        match ending {
            Handling | Overdue => return Ok(()),
            Trip | Waived => {
                self.at(5.0);
                self.trip(&handler, number, "社区调解室", "双方当面签调解协议,只需来这一次")
                    .await?;
                if ending == Waived {
                    self.at(20.0);
                    let supervisor = member("supervisor", Role::Supervisor, "4403", None);
                    let act = ActInput::WaiveLimit {
                        limit: RunOnceLimit::Trip,
                        reason: "第一次到场时对方临时缺席,责任在我方安排".to_owned(),
                    };
                    self.act(&supervisor, number, act).await?;
                    self.at(24.0);
                    self.trip(&handler, number, "社区调解室", "补签协议,已确认对方到场")
                        .await?;
                }
                return Ok(());
            }
            Waiting | Asked => {
                self.at(2.0);
                let item = |kind: &str| MaterialInput {
                    kind: kind.to_owned(),
                    words: None,
                };
                let items = vec![item("identity"), item("income_proof")];
                self.act(&handler, number, ActInput::RequestMaterials { items })
                    .await?;
                if ending == Asked {
                    self.at(9.0);
                    let act = ActInput::AnswerRequest {
                        handed_over: vec!["identity".to_owned(), "income_proof".to_owned()],
                        words: "材料都在这里了。".to_owned(),
                        photos: Vec::new(),
                    };
                    self.act(&resident, number, act).await?;
                }
                return Ok(());
            }
            _ => {}
        }
        self.at(44.0);
        self.result(
            &handler,
            number,
            "已到现场处理,情况属实,当天已恢复。后续两周内每三天复查一次。",
        )
        .await?;
        // What is done again is done by somebody else.
        let colleague = member("colleague", Role::HandlingUnit, &street, Some(&office));
        self.rate(story, &resident, &colleague, number).await
    }

    /// What the resident says to the result.
    async fn rate(
        &self,
        story: &Story,
        resident: &Actor,
        colleague: &Actor,
        number: &CaseNumber,
    ) -> Result<(), CaseworkError> {
        use Ending::*;
        self.at(50.0);
        let rate = |verdict, score, reason: Option<&str>| ActInput::Rate {
            verdict,
            score,
            reason: reason.map(str::to_owned),
        };
        let score = story.score.unwrap_or(5);
        match story.story {
            Solved => {
                self.act(resident, number, rate(Verdict::Solved, score, None))
                    .await
            }
            Partly => {
                let reason = Some("好了一半,周末又有一次");
                self.act(resident, number, rate(Verdict::Partly, score, reason))
                    .await
            }
            NotSolved | Redone => {
                let reason = Some("当晚又和以前一样,没有人再来过");
                self.act(resident, number, rate(Verdict::NotSolved, 1, reason))
                    .await?;
                if story.story == Redone {
                    self.at(75.0);
                    self.result(
                        colleague,
                        number,
                        "换由另一组人员连续三晚在场值守,商户已签承诺书,噪声监测达标。",
                    )
                    .await?;
                    self.at(80.0);
                    self.act(resident, number, rate(Verdict::Solved, score, None))
                        .await?;
                }
                Ok(())
            }
            Unrated => {
                self.at(600.0);
                self.act(&Actor::Service, number, ActInput::CloseUnrated {}).await
            }
            _ => Ok(()),
        }
    }

    async fn trip(
        &self,
        actor: &Actor,
        number: &CaseNumber,
        place: &str,
        why: &str,
    ) -> Result<(), CaseworkError> {
        self.act(
            actor,
            number,
            ActInput::AskTrip {
                to_place: place.to_owned(),
                reason: why.to_owned(),
            },
        )
        .await
    }

    async fn result(&self, actor: &Actor, number: &CaseNumber, words: &str) -> Result<(), CaseworkError> {
        let act = ActInput::GiveResult {
            words: words.to_owned(),
            photos: Vec::new(),
            after_photo: None,
            why_no_photo: Some("现场为居民家中或夜间,未拍照;处理记录已归档".to_owned()),
            promise: None,
        };
        self.act(actor, number, act).await
    }

    fn office(&self, story: &Story, street: &str) -> String {
        let office = self
            .casework
            .rules()
            .policy
            .category(&story.category)
            .map_or("services", |found| &found.office);
        let unit = self.casework.directory().office_for(street, office);
        unit.map_or_else(|| format!("{street}-desk"), |unit| unit.0)
    }
}

/// The street of a community; a larger division itself.
fn street_of(division: &str) -> String {
    division.get(..9).unwrap_or(division).to_owned()
}

fn cadre_of(street: &str) -> uuid::Uuid {
    let sign_in = match street {
        "440304007" => "cadre-meilin",
        "440305007" => "cadre-yuehai",
        _ => "cadre",
    };
    id_of(sign_in).0
}

fn staff(role: Role, street: &str, office: &str) -> Actor {
    member("clerk", role, street, Some(&format!("{street}-{office}")))
}

fn member(sign_in: &str, role: Role, area: &str, unit: Option<&str>) -> Actor {
    Actor::Staff(StaffMember {
        id: id_of(sign_in),
        role,
        area: area.into(),
        unit: unit.map(UnitCode::from),
        contact_districts: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::reference;
    use super::*;
    use onetrip_event_log::{Cursor as LogCursor, Horizon, MasterKey, Pool, read_page};
    use onetrip_model::{CaseEvent, CaseId, case::upcasters};
    use onetrip_read_models::run_once;
    use onetrip_testkit::Accounts;

    #[tokio::test]
    async fn the_ledger_of_the_demo_is_what_its_events_add_up_to() {
        let pool = onetrip_cluster::testing::test_database(&database::MIGRATIONS)
            .await
            .pool;
        let pool = Pool::from(pool);
        let key = std::env::temp_dir().join(format!("onetrip-demo-ledger-{}.key", std::process::id()));
        std::fs::write(&key, MasterKey::generate_hex().unwrap()).unwrap();
        let config = Config {
            master_key_file: Some(key.clone()),
            ..Config::default()
        };
        reference::seed_divisions_and_units(&pool).await.unwrap();
        let clock = onetrip_casework::system_clock();
        let casework = database::casework(&config, pool.clone(), clock, &Registry::new())
            .await
            .unwrap();
        reference::seed_staff(&casework).await.unwrap();
        seed(&config, &casework).await.unwrap();
        std::fs::remove_file(&key).unwrap();

        let mut connection = pool.acquire().await.unwrap();
        let events = read_page(
            &mut connection,
            "case",
            LogCursor::default(),
            10_000,
            Horizon::Committed,
        );
        let (mut accounts, upcasters) = (Accounts::default(), upcasters());
        for logged in events.await.unwrap() {
            let event = logged.read::<CaseEvent>("case", &upcasters).unwrap();
            accounts.count(
                CaseId(logged.aggregate_id.parse().unwrap()),
                logged.sequence,
                &event,
            );
        }
        let policy = &casework.rules().policy.run_once;
        let mut breached = 0;
        for (case, account) in &accounts.cases {
            let kept = run_once::ledger(&mut connection, *case).await.unwrap().unwrap();
            assert_eq!(
                [
                    kept.trips,
                    kept.trips_max,
                    kept.material_requests,
                    kept.material_requests_max,
                    kept.held_paper_waivers
                ]
                .map(i32::unsigned_abs),
                [
                    account.trips,
                    policy.trips_max + account.trips_waived,
                    account.requests,
                    policy.material_requests_max + account.requests_waived,
                    account.held_papers_waived
                ],
                "{case}"
            );
            let kept = run_once::breaches(&mut connection, *case).await.unwrap();
            let kept = kept
                .iter()
                .map(|breach| (breach.row.as_str(), breach.sequence, breach.at));
            let counted = account
                .breaches
                .iter()
                .map(|breach| (breach.row, breach.sequence, breach.at));
            breached += account.breaches.len();
            assert!(kept.eq(counted), "{case}: {:?}", account.breaches);
        }
        assert!(!accounts.cases.is_empty() && breached > 0);
    }
}
