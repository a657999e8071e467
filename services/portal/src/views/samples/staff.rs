use std::collections::BTreeMap;

use onetrip_http_kit::Prefs;

use super::{
    super::{
        Act, ActSection, Choice, ConflictPage, Due, Errors, FilePage, FiledPage, FilterChip, FilterGroup,
        Kind, Mark, QueuePage, QueueRow, RatingView, ResidentContact, SignInPage, StaffCasePage, StartPage,
        Tone, TypedField, TypedValues, Ui,
    },
    SamplePage, ago, categories, communities, due, errors, held, page, photo,
    public::{ledger, result, timeline},
    streets,
};

pub(super) fn all(prefs: Prefs) -> Vec<SamplePage> {
    let sign_in = SignInPage {
        ui: Ui::sample(prefs, "/staff/sign-in"),
        errors: Errors::default(),
        login: "chenli".to_owned(),
        next: "/staff".to_owned(),
    };
    let sign_in_refused = SignInPage {
        errors: errors(&[("password", sign_in.ui.t("err-sign-in"))]),
        ..sign_in.clone()
    };
    vec![
        page("staff-sign-in", &sign_in),
        page("staff-sign-in-error", &sign_in_refused),
        page("staff-queue", &QueuePage::sample(prefs)),
        page(
            "staff-queue-empty",
            &QueuePage {
                rows: Vec::new(),
                total: 0,
                ..QueuePage::sample(prefs)
            },
        ),
        page("staff-case", &StaffCasePage::sample(prefs)),
        page("staff-case-acts", &StaffCasePage::sample_every_act(prefs)),
        page("staff-case-error", &StaffCasePage::sample_refused(prefs)),
        page("staff-case-result", &StaffCasePage::sample_result(prefs)),
        page("staff-conflict", &ConflictPage::sample(prefs)),
        page("staff-file", &FilePage::sample(prefs)),
        page("staff-file-error", &FilePage::sample_refused(prefs)),
        page(
            "staff-file-new-fact-error",
            &FilePage::sample_finally_reviewed(prefs),
        ),
        page("staff-filed", &FiledPage::sample(prefs)),
        page(
            "staff-filed-joined",
            &FiledPage {
                secret: None,
                ..FiledPage::sample(prefs)
            },
        ),
        page("staff-start", &StartPage::sample(prefs)),
        page("staff-case-unsent-error", &StaffCasePage::sample_unsent(prefs)),
    ]
}

fn chip(label: String, on: bool, count: Option<u64>) -> FilterChip {
    FilterChip {
        label,
        href: "/staff?x=1".to_owned(),
        on,
        count,
    }
}

pub(super) fn rows(ui: &Ui) -> Vec<QueueRow> {
    let row = |number: &str,
               kind,
               category: &str,
               place: (&str, &str),
               words: (&str, &str),
               status: &str,
               tone,
               due| {
        QueueRow {
            number: number.to_owned(),
            href: format!("/staff/case/{}", number.replace('-', "")),
            kind,
            category: ui.member("category", category),
            place: ui.pick(place.0, place.1),
            words: ui.pick(words.0, words.1),
            status: ui.t(status),
            tone,
            due: Some(due),
            marks: Vec::new(),
            merge_href: None,
        }
    };
    let mark = |key: &str, tone| Mark {
        label: ui.t(key),
        tone,
    };
    let mut rows = vec![
        row(
            "3318-0042-7715",
            Kind::Appeal,
            "noise",
            (
                "科技园社区，科苑路 8 号工地",
                "科技园社区 · building site, 8 Keyuan Road",
            ),
            (
                "工地凌晨两点还在打桩，连着三天没睡好……",
                "Piling at two in the morning, three nights running…",
            ),
            "status-handling",
            Tone::Active,
            due(ui, "clock-result", 400, -30),
        ),
        row(
            "9052-6617-2240",
            Kind::Appeal,
            "danger",
            ("大冲社区，铜鼓路人行天桥", "大冲社区 · Tonggu Road footbridge"),
            (
                "天桥栏杆松了一截，小孩能钻过去",
                "A piece of railing is loose, a child could slip through",
            ),
            "status-submitted",
            Tone::Warn,
            due(ui, "clock-contact", 2, 0),
        ),
        row(
            "8271-5590-3316",
            Kind::Appeal,
            "street_lights",
            (
                "科技园社区，大冲新城花园 3 栋门口",
                "科技园社区 · Dachong Garden, outside block 3",
            ),
            (
                "路灯坏了快一个星期，晚上完全看不见台阶……",
                "The street light has been out for nearly a week, you can't see the steps…",
            ),
            "status-handling",
            Tone::Active,
            due(ui, "clock-result", 130, 52),
        ),
        row(
            "4471-9036-1528",
            Kind::Suggestion,
            "greenery",
            ("海珠社区，海德三道", "海珠社区 · Haide 3rd Road"),
            (
                "建议在人行道边加几张带靠背的长椅",
                "Please add a few benches with backs along the pavement",
            ),
            "status-accepted",
            Tone::Plain,
            due(ui, "clock-result", 20, 190),
        ),
        row(
            "6130-7784-9051",
            Kind::Appeal,
            "permits",
            ("粤海街道", "粤海街道"),
            (
                "小吃店换老板，卫生许可要不要重办？",
                "A snack bar changes hands: is a new permit needed?",
            ),
            "status-awaiting-resident",
            Tone::Warn,
            Due {
                paused: true,
                ..due(ui, "clock-result", 30, 20)
            },
        ),
        row(
            "2204-8861-0397",
            Kind::HearingRequest,
            "other",
            ("全市", "The whole city"),
            (
                "地铁支线选址，请先听听沿线住户怎么说",
                "Before the branch line is fixed, hear those who live along it",
            ),
            "status-result-given",
            Tone::Good,
            Due {
                done_at: Some(ago(20)),
                ..due(ui, "clock-result", 200, 10)
            },
        ),
    ];
    if let [first, _, third, _, fifth, ..] = rows.as_mut_slice() {
        first.marks = vec![mark("mark-reopened", Tone::Warn), mark("mark-breach", Tone::Bad)];
        third.marks = vec![mark("mark-trip", Tone::Plain)];
        fifth.marks = vec![
            mark("mark-requested", Tone::Plain),
            mark("mark-unnamed", Tone::Plain),
        ];
    }
    rows
}

impl QueuePage {
    pub fn sample(prefs: Prefs) -> Self {
        let ui = Ui::sample_staff(prefs, "/staff", true);
        Self {
            scopes: vec![
                chip(ui.t("scope-mine"), false, Some(12)),
                chip(ui.t("scope-district"), true, Some(47)),
                chip(ui.t("scope-unit"), false, Some(133)),
                chip(ui.t("scope-area"), false, None),
            ],
            filters: vec![
                FilterGroup {
                    label: ui.t("filter-status"),
                    chips: vec![
                        chip(ui.t("status-submitted"), false, Some(5)),
                        chip(ui.t("status-handling"), true, Some(31)),
                        chip(ui.t("status-awaiting-resident"), false, Some(4)),
                        chip(ui.t("status-result-given"), false, Some(7)),
                    ],
                },
                FilterGroup {
                    label: ui.t("filter-kind"),
                    chips: Kind::ALL
                        .into_iter()
                        .map(|kind| chip(ui.member("kind", kind.id()), false, None))
                        .collect(),
                },
            ],
            q: String::new(),
            rows: rows(&ui),
            total: 47,
            overdue: 1,
            due_soon: 6,
            first_href: Some("/staff".to_owned()),
            next_href: Some("/staff?after=abc".to_owned()),
            ui,
        }
    }
}

fn units(ui: &Ui) -> Vec<Choice> {
    vec![
        Choice::new(
            "u1",
            ui.pick("粤海街道城市管理办公室", "Yuehai urban management office"),
            false,
        ),
        Choice::new(
            "u2",
            ui.pick("粤海街道应急管理办公室", "Yuehai safety office"),
            false,
        ),
        Choice::new("u3", ui.pick("南山区水务局", "Nanshan water authority"), false),
    ]
}

fn open(act: Act) -> ActSection {
    ActSection { act, refused: None }
}

fn follow_up(ui: &Ui) -> Act {
    let kinds = ["contact", "progress", "call_back"];
    Act::FollowUp {
        kinds: kinds
            .iter()
            .map(|id| Choice::new(*id, ui.member("follow-up", id), false))
            .collect(),
    }
}

fn materials(ui: &Ui) -> Act {
    let kinds = ["identity", "lease", "wage_record", "photo_of_place", "other"];
    Act::Materials {
        kinds: kinds
            .iter()
            .map(|id| Choice::new(*id, ui.member("material", id), false))
            .collect(),
        until: Some(super::ahead(80)),
    }
}

fn waive(ui: &Ui) -> Act {
    let limits = ["trip", "material_request", "held_paper"];
    Act::Waive {
        limits: limits
            .iter()
            .map(|id| Choice::new(*id, ui.member("waive", id), false))
            .collect(),
    }
}

impl StaffCasePage {
    /// Being handled, with the one trip spent.
    pub fn sample(prefs: Prefs) -> Self {
        let ui = Ui::sample_staff(prefs, "/staff/case/827155903316", true);
        Self {
            errors: Errors::default(),
            number: "8271-5590-3316".to_owned(),
            version: 6,
            idempotency_key: "01a4".to_owned(),
            kind: Kind::Appeal,
            class: Some(ui.t("class-help")),
            category: ui.member("category", "street_lights"),
            place: ui.pick("南山区粤海街道科技园社区，大冲新城花园 3 栋门口", "粤海街道科技园社区 · Dachong Garden, outside block 3"),
            words: ui.pick(
                "大冲新城花园 3 栋门口的路灯坏了快一个星期，晚上完全看不见台阶。昨天有位老人在这里绊倒了，希望尽快修好。",
                "The street light outside block 3 of Dachong Garden has been out for nearly a week. You can't see the \
                 steps at night, and yesterday an old man tripped there. Please have it repaired soon.",
            ),
            photos: vec![photo(&ui, "a1", 1)],
            status: ui.t("status-handling"),
            tone: Tone::Active,
            marks: vec![Mark { label: ui.t("mark-trip"), tone: Tone::Plain }],
            holder: ui.pick("粤海街道城市管理办公室", "Yuehai urban management office"),
            contact_cadre: Some(ui.pick("陈立", "Chen Li")),
            unnamed: false,
            contact: Some(ResidentContact {
                name: Some(ui.pick("林阿姨", "Auntie Lin")),
                phone: "138 0013 8000".to_owned(),
            }),
            clocks: vec![
                Due { done_at: Some(ago(20)), ..due(&ui, "clock-contact", 28, -4) },
                due(&ui, "clock-result", 130, 52),
            ],
            result: None,
            rating: None,
            duplicates: rows(&ui)
                .into_iter()
                .skip(2)
                .take(1)
                .map(|row| QueueRow {
                    merge_href: Some("?act=merge&into=331800427715#act-merge".to_owned()),
                    ..row
                })
                .collect(),
            members: vec!["5520-1187-0934".to_owned()],
            timeline: timeline(&ui),
            ledger: ledger(&ui, 1, 0),
            held: held(&ui),
            acts: vec![
                open(Act::Result { place_bound: true, shared: false }),
                open(follow_up(&ui)),
                open(materials(&ui)),
                ActSection { act: Act::Trip, refused: Some(ui.t("refusal-trip-limit")) },
                open(Act::HandOver { units: units(&ui) }),
                open(waive(&ui)),
            ],
            open_act: None,
            typed: TypedValues::default(),
            done: Some(ui.t1("done-act", "act", ui.t("act-follow-up"))),
            ui,
        }
    }

    /// Every act at once, each opened by the gallery through its form.
    pub fn sample_every_act(prefs: Prefs) -> Self {
        let mut page = Self::sample(prefs);
        let ui = &page.ui;
        let mut owners = units(ui);
        owners.push(Choice::new("outside", ui.t("field-next-owner-outside"), false));
        page.acts = vec![
            open(Act::Accept),
            open(Act::Decline { owners }),
            open(Act::Assign {
                cadres: vec![Choice::new(
                    "s1",
                    ui.pick("陈立（科技园 2 片区）", "Chen Li (科技园 2)"),
                    true,
                )],
                units: units(ui),
            }),
            open(follow_up(ui)),
            open(materials(ui)),
            open(Act::Trip),
            open(waive(ui)),
            open(Act::HandOver { units: units(ui) }),
            open(Act::TakeOver {
                from: ui.pick("粤海街道", "Yuehai Street"),
            }),
            open(Act::Return),
            open(Act::TakeBack {
                to: ui.pick("粤海街道", "Yuehai Street"),
            }),
            open(Act::Result {
                place_bound: true,
                shared: true,
            }),
            open(Act::Close),
        ];
        page.unnamed = true;
        page.contact = None;
        page.contact_cadre = None;
        page.open_act = Some("materials".to_owned());
        page.done = None;
        page
    }

    /// A result came back: no after-photo and no reason why.
    pub fn sample_refused(prefs: Prefs) -> Self {
        let mut page = Self::sample(prefs);
        page.open_act = Some("result".to_owned());
        page.done = None;
        let words = page.ui.pick(
            "已更换电缆和灯头，恢复照明。",
            "Cable and lamp were replaced; the light is on again.",
        );
        page.typed = TypedValues(BTreeMap::from([("result-words".to_owned(), words)]));
        page.errors = errors(&[("result-place_proof", page.ui.t("err-place-proof"))]);
        page
    }

    /// What was written for an act that a rule refuses now.
    pub fn sample_unsent(prefs: Prefs) -> Self {
        let mut page = Self::sample(prefs);
        page.open_act = Some("close".to_owned());
        page.errors = errors(&[("", page.ui.t("refusal-wrong-stage"))]);
        let words = page
            .ui
            .pick("请带上合同原件。", "Please bring the original of the lease.");
        page.typed = TypedValues(BTreeMap::from([("close-reason".to_owned(), words)]));
        page
    }

    /// The result was given and rated badly.
    pub fn sample_result(prefs: Prefs) -> Self {
        let mut page = Self::sample(prefs);
        let ui = &page.ui;
        page.status = ui.t("status-reopened");
        page.tone = Tone::Warn;
        page.marks = vec![
            Mark {
                label: ui.t("mark-reopened"),
                tone: Tone::Warn,
            },
            Mark {
                label: ui.t("mark-breach"),
                tone: Tone::Bad,
            },
        ];
        page.result = Some(result(ui));
        page.rating = Some(RatingView {
            verdict: ui.t("verdict-not-solved"),
            score: 2,
            score_words: ui.t("score-2"),
            reason: Some(ui.pick("灯又灭了。", "The light is out again.")),
        });
        page.ledger = ledger(ui, 2, 1);
        if let Some(trips) = page.ledger.first_mut() {
            trips.note = Some(ui.pick(
                "主管批准：要当面验线",
                "Waived by a supervisor: the cable had to be shown",
            ));
        }
        page.clocks = vec![due(ui, "clock-result", 400, -30)];
        page.acts = Vec::new();
        page.done = None;
        page
    }
}

impl ConflictPage {
    pub fn sample(prefs: Prefs) -> Self {
        let ui = Ui::sample_staff(prefs, "/staff/case/827155903316", false);
        Self {
            number: "8271-5590-3316".to_owned(),
            case_href: "/staff/case/827155903316".to_owned(),
            action: "/staff/case/827155903316/follow-up".to_owned(),
            version: 8,
            idempotency_key: "01a5".to_owned(),
            act_label: ui.t("act-follow-up"),
            changed: timeline(&ui).into_iter().take(2).collect(),
            typed: vec![
                TypedField {
                    name: "kind".to_owned(),
                    label: ui.t("field-follow-up-kind"),
                    value: "progress".to_owned(),
                    shown: Some(ui.t("follow-up-progress")),
                },
                TypedField {
                    name: "words".to_owned(),
                    label: ui.t("field-follow-up-words"),
                    value: ui.pick(
                        "和物业约好明早八点一起看现场。",
                        "Meeting the property office on site at eight tomorrow.",
                    ),
                    shown: None,
                },
            ],
            kept: vec![photo(&ui, "k1", 1)],
            kept_after: Vec::new(),
            ui,
        }
    }
}

impl FilePage {
    pub fn sample(prefs: Prefs) -> Self {
        let ui = Ui::sample_staff(prefs, "/staff/file/appeal", false);
        Self {
            errors: Errors::default(),
            kind: Kind::Appeal,
            kinds: Kind::ALL,
            idempotency_key: "01a6".to_owned(),
            categories: categories(&ui, ""),
            text: String::new(),
            text_max: 2000,
            new_fact: None,
            streets: streets("440305007"),
            communities: communities(),
            place: String::new(),
            place_max: 200,
            whole_city: false,
            name: String::new(),
            name_max: 50,
            phone: String::new(),
            unnamed: false,
            photos: Vec::new(),
            photos_max: 4,
            ui,
        }
    }

    pub fn sample_refused(prefs: Prefs) -> Self {
        let mut page = Self::sample(prefs);
        page.kind = Kind::Suggestion;
        let ui = &page.ui;
        page.errors = errors(&[
            ("text", ui.t("err-text-empty")),
            ("category", ui.t("err-category")),
            ("phone", ui.t("err-file-phone-empty")),
        ]);
        page.photos = vec![photo(&page.ui, "k1", 1)];
        page
    }
}

impl FilePage {
    pub fn sample_finally_reviewed(prefs: Prefs) -> Self {
        let mut page = Self::sample(prefs);
        page.new_fact = Some(String::new());
        page.errors = errors(&[("new_fact", page.ui.t("err-new-fact"))]);
        page
    }
}

impl FiledPage {
    pub fn sample(prefs: Prefs) -> Self {
        Self {
            ui: Ui::sample_staff(prefs, "/staff/file/appeal", false),
            number: "8271-5590-3316".to_owned(),
            secret: Some("K7QM-2XWA-9FHD-RT4C-PV6E-J3NB".to_owned()),
            case_href: "/staff/case/827155903316".to_owned(),
            file_href: "/staff/file/appeal".to_owned(),
        }
    }
}

impl StartPage {
    pub fn sample(prefs: Prefs) -> Self {
        let mut ui = Ui::sample_staff(prefs, "/staff", false);
        if let Some(staff) = &mut ui.staff {
            staff.queues = false;
            staff.files = false;
        }
        Self { ui }
    }
}
