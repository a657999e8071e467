//! Made-up pages: tests render them in every locale, and the gallery shows them to eyes and to axe-core.
//! No person or matter in here is real.

mod board;
mod public;
mod staff;

use askama::Template;
use chrono::{DateTime, Duration, TimeZone as _, Utc};
use onetrip_http_kit::{FieldError, Prefs};
use onetrip_i18n::Locale;

use super::{Choice, ChoiceGroup, Due, Errors, HeldRow, Help, Photo, StaffBadge, Ui};

/// A page of the gallery: its name and its HTML, or why it could not be drawn.
pub struct SamplePage {
    pub name: &'static str,
    pub html: askama::Result<String>,
}

/// Every page in every state worth looking at.
pub fn all(prefs: Prefs) -> Vec<SamplePage> {
    let mut pages = public::all(prefs);
    pages.extend(staff::all(prefs));
    pages.extend(board::all(prefs));
    pages
}

fn page(name: &'static str, template: &impl Template) -> SamplePage {
    SamplePage {
        name,
        html: template.render(),
    }
}

/// The instant at which every sample is drawn: Tuesday 24 November 2026, 10:20 in the city.
pub fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 24, 2, 20, 0)
        .single()
        .unwrap_or_default()
}

impl Ui {
    /// A frame as a resident sees it.
    pub fn sample(prefs: Prefs, path: &str) -> Self {
        let zh = prefs.locale == Locale::ZhCn;
        let pick = |chinese: &str, english: &str| {
            if zh {
                chinese.to_owned()
            } else {
                english.to_owned()
            }
        };
        Self {
            prefs,
            csrf: "c2FtcGxl".to_owned(),
            path: path.to_owned(),
            now: now(),
            help: Help {
                phone: "0755-12345".to_owned(),
                phone_hours: pick("每天 24 小时", "day and night"),
                counter: pick(
                    "粤海街道党群服务中心，科技路 1 号，周一至周六 9:00–18:00",
                    "Yuehai Street Service Centre, 1 Keji Road, Monday to Saturday 9:00–18:00",
                ),
            },
            staff: None,
        }
    }

    /// A frame as staff see it.
    pub fn sample_staff(prefs: Prefs, path: &str, supervises: bool) -> Self {
        let mut ui = Self::sample(prefs, path);
        ui.staff = Some(StaffBadge {
            name: ui.pick("陈立", "Chen Li"),
            office: ui.pick("粤海街道", "Yuehai Street"),
            queues: true,
            supervises,
            files: !supervises,
        });
        ui
    }

    /// Sample words in the language of the page, as residents of that language would write them.
    fn pick(&self, chinese: &str, english: &str) -> String {
        match self.locale() {
            Locale::ZhCn => chinese.to_owned(),
            Locale::En => english.to_owned(),
        }
    }
}

fn errors(list: &[(&str, String)]) -> Errors {
    Errors(
        list.iter()
            .map(|(field, message)| FieldError::new(*field, message.clone()))
            .collect(),
    )
}

fn ago(hours: i64) -> DateTime<Utc> {
    now() - Duration::hours(hours)
}

fn ahead(hours: i64) -> DateTime<Utc> {
    now() + Duration::hours(hours)
}

fn due(ui: &Ui, label: &str, started_hours_ago: i64, due_in_hours: i64) -> Due {
    Due {
        label: ui.t(label),
        started_at: ago(started_hours_ago),
        due_at: ahead(due_in_hours) + Duration::minutes(25),
        done_at: None,
        paused: false,
        proof: vec![
            ui.pick("办理结果：10 个工作日。", "Result: 10 working days."),
            ui.pick(
                "从 11 月 23 日开始计时，当天不算。",
                "The clock started on 23 November. That day is not counted.",
            ),
        ],
    }
}

fn held(ui: &Ui) -> Vec<HeldRow> {
    let row = |zh: &str, en: &str, hours: i64, now| HeldRow {
        holder: ui.pick(zh, en),
        time: onetrip_i18n::span(ui.prefs.locale, Duration::hours(hours)),
        now,
    };
    vec![
        row("莲花街道民生诉求服务台", "Lianhua Street appeals desk", 3, false),
        row("莲花街道城市管理办公室", "Lianhua Street urban office", 52, true),
    ]
}

/// Two drawings that stand for photos, as data addresses.
fn photo(ui: &Ui, id: &str, n: usize) -> Photo {
    const DARK: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 160 120'%3E%3Crect width='160' height='120' fill='%23233a44'/%3E%3Cpath d='M0 95 60 78l50 12 50-16v46H0z' fill='%23485f63'/%3E%3Cpath d='M52 20v75' stroke='%23c9d4cf' stroke-width='4'/%3E%3Ccircle cx='60' cy='22' r='7' fill='%23657a78'/%3E%3C/svg%3E";
    const LIGHT: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 160 120'%3E%3Crect width='160' height='120' fill='%2327454f'/%3E%3Ccircle cx='62' cy='30' r='46' fill='%23f2cf7a' opacity='.35'/%3E%3Cpath d='M0 95 60 78l50 12 50-16v46H0z' fill='%23768a80'/%3E%3Cpath d='M52 20v75' stroke='%23e9efe9' stroke-width='4'/%3E%3Ccircle cx='62' cy='24' r='9' fill='%23ffe9a8'/%3E%3C/svg%3E";
    let alt = ui.pick(&format!("照片 {n}"), &format!("Photo {n}"));
    Photo {
        id: id.to_owned(),
        url: if n.is_multiple_of(2) { LIGHT } else { DARK }.to_owned(),
        alt,
    }
}

fn categories(ui: &Ui, chosen: &str) -> Vec<ChoiceGroup> {
    let groups: [(&str, &[&str]); 4] = [
        (
            "urban",
            &["street_lights", "roads", "waste", "greenery", "noise", "parking"],
        ),
        ("safety", &["utilities", "danger", "fire_safety", "elevator"]),
        ("community", &["property_management", "neighbours", "wages"]),
        (
            "services",
            &["social_security", "school", "housing", "permits", "other"],
        ),
    ];
    groups
        .into_iter()
        .map(|(group, ids)| ChoiceGroup {
            label: ui.member("category-group", group),
            choices: ids
                .iter()
                .map(|id| Choice::new(*id, ui.member("category", id), *id == chosen))
                .collect(),
        })
        .collect()
}

fn streets(chosen: &str) -> Vec<ChoiceGroup> {
    let group = |label: &str, streets: &[(&str, &str)]| ChoiceGroup {
        label: label.to_owned(),
        choices: streets
            .iter()
            .map(|(code, name)| Choice::new(*code, *name, *code == chosen))
            .collect(),
    };
    vec![
        group("福田区", &[("440304001", "园岭街道"), ("440304002", "南园街道")]),
        group(
            "南山区",
            &[
                ("440305001", "南头街道"),
                ("440305007", "粤海街道"),
                ("440305008", "桃源街道"),
            ],
        ),
    ]
}

fn communities() -> Vec<Choice> {
    vec![
        Choice::new("440305007001", "海珠社区", false),
        Choice::new("440305007002", "科技园社区", true),
        Choice::new("440305007003", "大冲社区", false),
    ]
}
