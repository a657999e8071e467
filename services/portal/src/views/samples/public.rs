use onetrip_http_kit::Prefs;

use super::{
    super::{
        AnswerRow, CheckPage, ContactPage, Due, ErrorKind, ErrorPage, Errors, HomePage, Kind, LedgerRow,
        Limits, LookupPage, MaterialRow, MaterialsForm, NextStep, PrivacyPage, RateForm, RatingView,
        ReopenForm, ResidentCasePage, ResultView, SharedChoice, Steps, SubmittedPage, TimelineEntry, Tone,
        TripView, Ui, WhatPage, WherePage,
    },
    SamplePage, ago, ahead, categories, communities, due, errors, held, page, photo, streets,
};

pub(super) fn all(prefs: Prefs) -> Vec<SamplePage> {
    vec![
        page("home", &HomePage::sample(prefs)),
        page("home-error", &HomePage::sample_refused(prefs)),
        page("what", &WhatPage::sample(prefs)),
        page("what-error", &WhatPage::sample_refused(prefs)),
        page(
            "what-suggestion",
            &WhatPage {
                kind: Kind::Suggestion,
                ..WhatPage::sample(prefs)
            },
        ),
        page(
            "what-new-fact-error",
            &WhatPage {
                new_fact: Some(String::new()),
                errors: errors(&[("new_fact", onetrip_i18n::t(prefs.locale, "err-new-fact"))]),
                ..WhatPage::sample(prefs)
            },
        ),
        page("where", &WherePage::sample(prefs, Kind::Appeal)),
        page(
            "where-hearing",
            &WherePage::sample_empty(prefs, Kind::HearingRequest),
        ),
        page("contact", &ContactPage::sample(prefs)),
        page("contact-error", &ContactPage::sample_refused(prefs)),
        page("check", &CheckPage::sample(prefs)),
        page("check-like-this", &CheckPage::sample_like_this(prefs)),
        page("submitted", &SubmittedPage::sample(prefs)),
        page(
            "submitted-later",
            &SubmittedPage {
                secret: None,
                ..SubmittedPage::sample(prefs)
            },
        ),
        page(
            "submitted-joined",
            &SubmittedPage {
                secret: None,
                joined: true,
                ..SubmittedPage::sample(prefs)
            },
        ),
        page(
            "submitted-with-another",
            &SubmittedPage {
                with_another: true,
                ..SubmittedPage::sample(prefs)
            },
        ),
        page(
            "submitted-late",
            &SubmittedPage {
                late: true,
                office: String::new(),
                next: Vec::new(),
                ..SubmittedPage::sample(prefs)
            },
        ),
        page("lookup", &LookupPage::sample(prefs)),
        page("case-handling", &ResidentCasePage::sample(prefs)),
        page("case-asked", &ResidentCasePage::sample_asked(prefs)),
        page("case-rate", &ResidentCasePage::sample_result(prefs)),
        page("case-rate-error", &ResidentCasePage::sample_result_refused(prefs)),
        page("case-closed", &ResidentCasePage::sample_closed(prefs)),
        page(
            "privacy",
            &PrivacyPage {
                ui: Ui::sample(prefs, "/privacy"),
            },
        ),
        page("error-not-found", &ErrorPage::sample(prefs, ErrorKind::NotFound)),
        page("error-forbidden", &ErrorPage::sample(prefs, ErrorKind::Forbidden)),
        page(
            "error-form-expired",
            &ErrorPage::sample(prefs, ErrorKind::FormExpired),
        ),
        page("error-refused", &ErrorPage::sample(prefs, ErrorKind::Refused)),
        page("error-too-large", &ErrorPage::sample(prefs, ErrorKind::TooLarge)),
        page(
            "error-unreadable",
            &ErrorPage::sample(prefs, ErrorKind::Unreadable),
        ),
        page("error-too-many", &ErrorPage::sample(prefs, ErrorKind::TooMany)),
        page("error-internal", &ErrorPage::sample(prefs, ErrorKind::Internal)),
        page(
            "error-unavailable",
            &ErrorPage::sample(prefs, ErrorKind::Unavailable),
        ),
    ]
}

impl HomePage {
    pub fn sample(prefs: Prefs) -> Self {
        Self {
            ui: Ui::sample(prefs, "/"),
            limits: Limits {
                contact_hours: 24,
                consultation_days: 2,
                help_days: 10,
                complaint_days: 15,
                rating_days: 15,
            },
            kinds: Kind::ALL,
            errors: Errors::default(),
            number: String::new(),
        }
    }

    pub fn sample_refused(prefs: Prefs) -> Self {
        let mut page = Self::sample(prefs);
        page.number = "8271 5590".to_owned();
        page.errors = errors(&[
            ("number", page.ui.t("err-number")),
            ("secret", page.ui.t("err-secret-empty")),
        ]);
        page
    }
}

fn appeal_words(ui: &Ui) -> String {
    ui.pick(
        "大冲新城花园 3 栋门口的路灯坏了快一个星期，晚上完全看不见台阶。昨天有位老人在这里绊倒了，希望尽快修好。",
        "The street light outside block 3 of Dachong Garden has been out for nearly a week. You can't see the steps \
         at night, and yesterday an old man tripped there. Please have it repaired soon.",
    )
}

impl WhatPage {
    pub fn sample(prefs: Prefs) -> Self {
        let ui = Ui::sample(prefs, "/submit/appeal/what");
        Self {
            errors: Errors::default(),
            kind: Kind::Appeal,
            steps: Steps::submission(&ui, 1),
            categories: categories(&ui, "street_lights"),
            text: appeal_words(&ui),
            text_max: 2000,
            new_fact: None,
            photos: vec![photo(&ui, "a1", 1)],
            photos_max: 4,
            ui,
        }
    }

    pub fn sample_refused(prefs: Prefs) -> Self {
        let mut page = Self::sample(prefs);
        page.text = String::new();
        page.categories = categories(&page.ui, "");
        page.errors = errors(&[
            ("text", page.ui.t("err-text-empty")),
            ("category", page.ui.t("err-category")),
            ("photo", page.ui.t("err-photo-kind")),
        ]);
        page
    }
}

impl WherePage {
    pub fn sample(prefs: Prefs, kind: Kind) -> Self {
        let ui = Ui::sample(prefs, "/submit/appeal/where");
        Self {
            errors: Errors::default(),
            kind,
            steps: Steps::submission(&ui, 2),
            streets: streets("440305007"),
            communities: communities(),
            place: ui.pick("大冲新城花园 3 栋门口", "Dachong Garden, outside block 3"),
            place_max: 200,
            whole_city: false,
            ui,
        }
    }

    pub fn sample_empty(prefs: Prefs, kind: Kind) -> Self {
        let mut page = Self::sample(prefs, kind);
        page.streets = streets("");
        page.communities = Vec::new();
        page.place = String::new();
        page.errors = errors(&[("street", page.ui.t("err-street"))]);
        page
    }
}

impl ContactPage {
    pub fn sample(prefs: Prefs) -> Self {
        let ui = Ui::sample(prefs, "/submit/appeal/contact");
        Self {
            errors: Errors::default(),
            kind: Kind::Appeal,
            steps: Steps::submission(&ui, 3),
            name: String::new(),
            name_max: 50,
            phone: String::new(),
            unnamed: false,
            ui,
        }
    }

    pub fn sample_refused(prefs: Prefs) -> Self {
        let mut page = Self::sample(prefs);
        page.name = page.ui.pick("林阿姨", "Auntie Lin");
        page.phone = "1380013".to_owned();
        page.errors = errors(&[("phone", page.ui.t("err-phone"))]);
        page
    }
}

impl CheckPage {
    pub fn sample(prefs: Prefs) -> Self {
        let ui = Ui::sample(prefs, "/submit/appeal/check");
        let row = |label: &str, value: String, step: &str| AnswerRow {
            label: ui.t(label),
            value,
            change_href: format!("/submit/appeal/{step}"),
        };
        Self {
            errors: Errors::default(),
            kind: Kind::Appeal,
            steps: Steps::submission(&ui, 4),
            rows: vec![
                row("what-label-appeal", appeal_words(&ui), "what"),
                row("category-label", ui.member("category", "street_lights"), "what"),
                row(
                    "where-title",
                    ui.pick(
                        "南山区粤海街道科技园社区，大冲新城花园 3 栋门口",
                        "粤海街道科技园社区 · Dachong Garden, outside block 3",
                    ),
                    "where",
                ),
                row(
                    "contact-title",
                    ui.pick("林阿姨，138 0013 8000", "Auntie Lin, 138 0013 8000"),
                    "contact",
                ),
            ],
            photos: vec![photo(&ui, "a1", 1)],
            unnamed: false,
            like_this: Vec::new(),
            idempotency_key: "01a2".to_owned(),
            ui,
        }
    }
}

impl CheckPage {
    pub fn sample_like_this(prefs: Prefs) -> Self {
        let mut page = Self::sample(prefs);
        let ui = &page.ui;
        let like = |ticket: &str, days: i64, progress: &str| SharedChoice {
            ticket: ticket.to_owned(),
            category: ui.member("category", "street_lights"),
            place: ui.pick("粤海街道科技园社区", "科技园社区, 粤海街道"),
            filed_on: ui.day(&ago(days * 24)),
            progress: ui.t(progress),
        };
        page.like_this = vec![
            like("a", 2, "progress-handling"),
            like("b", 9, "progress-received"),
        ];
        page
    }
}

impl SubmittedPage {
    pub fn sample(prefs: Prefs) -> Self {
        let ui = Ui::sample(prefs, "/submitted/827155903316");
        Self {
            number: "8271-5590-3316".to_owned(),
            secret: Some("K7QM-2XWA-9FHD-RT4C-PV6E-J3NB".to_owned()),
            joined: false,
            with_another: false,
            late: false,
            office: ui.pick("粤海街道", "Yuehai Street (粤海街道)"),
            next: vec![
                NextStep {
                    what: ui.t("next-contact"),
                    by: Some(ahead(24)),
                },
                NextStep {
                    what: ui.t("next-receipt"),
                    by: Some(ahead(15 * 24)),
                },
                NextStep {
                    what: ui.t("next-result"),
                    by: Some(ahead(14 * 24 + 8)),
                },
            ],
            rating_days: 15,
            ui,
        }
    }
}

impl LookupPage {
    pub fn sample(prefs: Prefs) -> Self {
        let ui = Ui::sample(prefs, "/case");
        let errors = errors(&[("secret", ui.t("err-lookup"))]);
        Self {
            ui,
            errors,
            number: "8271-5590-3316".to_owned(),
        }
    }
}

/// The ledger of a case: trips, requests, held papers, hand-overs.
pub(super) fn ledger(ui: &Ui, trips: u32, requests: u32) -> Vec<LedgerRow> {
    let row = |label: &str, used: u32, limit: u32| LedgerRow {
        label: ui.t(label),
        used,
        limit,
        breached: used > limit,
        note: None,
    };
    vec![
        row("ledger-trips", trips, 1),
        row("ledger-requests", requests, 1),
        row("ledger-held", 0, 0),
        row("ledger-handovers", 0, 0),
    ]
}

pub(super) fn timeline(ui: &Ui) -> Vec<TimelineEntry> {
    let entry =
        |hours: i64, key: &str, office: Option<String>, words: Option<String>, tone: Tone| TimelineEntry {
            at: ago(hours),
            sentence: ui.t(key),
            office,
            words,
            photos: Vec::new(),
            tone,
        };
    let street = Some(ui.pick("粤海街道", "Yuehai Street"));
    let unit = Some(ui.pick("粤海街道城市管理办公室", "Yuehai urban management office"));
    vec![
        entry(
            3,
            "event-follow-up-progress",
            unit.clone(),
            Some(ui.pick(
                "维修队已到现场，电缆老化，今晚换线。",
                "The repair crew has been there. The cable is worn out and will be replaced tonight.",
            )),
            Tone::Active,
        ),
        entry(20, "event-follow-up-contact", street.clone(), None, Tone::Good),
        entry(26, "event-assigned", street.clone(), None, Tone::Plain),
        entry(27, "event-accepted", street, None, Tone::Plain),
        entry(28, "event-submitted", None, None, Tone::Plain),
    ]
}

pub(super) fn result(ui: &Ui) -> ResultView {
    ResultView {
        at: ago(2),
        office: ui.pick("粤海街道城市管理办公室", "Yuehai urban management office"),
        words: ui.pick(
            "11 月 23 日晚更换了 3 栋门口的电缆和灯头，已恢复照明。同路段另外 6 盏灯一并检查，正常。台阶边加贴了反光条。",
            "On the evening of 23 November the cable and lamp outside block 3 were replaced and the light is on again. \
             Six more lamps on the same path were checked and work. Reflecting strips were put on the steps.",
        ),
        photos: vec![photo(ui, "b1", 1), photo(ui, "b2", 2)],
        why_no_photo: None,
    }
}

impl ResidentCasePage {
    /// Being handled; a trip was asked.
    pub fn sample(prefs: Prefs) -> Self {
        let ui = Ui::sample(prefs, "/case/827155903316");
        let met = Due {
            done_at: Some(ago(20)),
            ..due(&ui, "clock-contact", 28, -4)
        };
        Self {
            errors: Errors::default(),
            number: "8271-5590-3316".to_owned(),
            idempotency_key: "01a3".to_owned(),
            kind: Kind::Appeal,
            category: ui.member("category", "street_lights"),
            place: ui.pick(
                "南山区粤海街道科技园社区，大冲新城花园 3 栋门口",
                "粤海街道科技园社区 · Dachong Garden, outside block 3",
            ),
            words: appeal_words(&ui),
            photos: vec![photo(&ui, "a1", 1)],
            status: ui.t("status-handling"),
            tone: Tone::Active,
            holder: ui.pick("粤海街道城市管理办公室", "Yuehai urban management office"),
            dues: vec![met, due(&ui, "clock-result", 28, 13 * 24)],
            result: None,
            rating: None,
            trip: Some(TripView {
                to_place: ui.pick("大冲新城花园物业服务处", "Property office, Dachong Garden"),
                reason: ui.pick(
                    "请当面确认新灯杆的位置，避开您家窗户。",
                    "Please agree the place of the new lamp post with us, away from your window.",
                ),
                at: ago(5),
            }),
            timeline: timeline(&ui),
            ledger: ledger(&ui, 1, 0),
            materials: None,
            rate: None,
            reopen: None,
            review: None,
            held: held(&ui),
            may_supplement: true,
            may_withdraw: true,
            supplement_words: String::new(),
            withdraw_reason: String::new(),
            unsent: Vec::new(),
            done: Some(ui.t("done-supplement")),
            ui,
        }
    }

    /// Papers were requested.
    pub fn sample_asked(prefs: Prefs) -> Self {
        let mut page = Self::sample(prefs);
        let ui = &page.ui;
        page.status = ui.t("status-awaiting-resident");
        page.tone = Tone::Warn;
        page.holder = ui.t("holder-resident");
        page.trip = None;
        page.done = None;
        page.dues = vec![
            due(ui, "clock-materials", 24, 6 * 24),
            Due {
                paused: true,
                ..due(ui, "clock-result", 28, 13 * 24)
            },
        ];
        page.ledger = ledger(ui, 0, 1);
        page.materials = Some(MaterialsForm {
            items: vec![
                MaterialRow {
                    id: "lease".to_owned(),
                    label: ui.member("material", "lease"),
                    words: Some(ui.pick(
                        "第一页和签字页",
                        "The first page and the page with the signatures",
                    )),
                    typed: String::new(),
                },
                MaterialRow {
                    id: "photo_of_place".to_owned(),
                    label: ui.member("material", "photo_of_place"),
                    words: None,
                    typed: String::new(),
                },
            ],
            until: ahead(6 * 24),
            words: String::new(),
        });
        page
    }

    /// The result is there and can be rated.
    pub fn sample_result(prefs: Prefs) -> Self {
        let mut page = Self::sample(prefs);
        let ui = &page.ui;
        page.status = ui.t("status-result-given");
        page.tone = Tone::Good;
        page.trip = None;
        page.done = None;
        page.result = Some(result(ui));
        page.dues = vec![due(ui, "clock-rating", 2, 15 * 24 - 2)];
        page.ledger = ledger(ui, 0, 0);
        page.rate = Some(RateForm {
            verdict: String::new(),
            score: 0,
            reason: String::new(),
            until: ahead(15 * 24 - 2),
        });
        page.may_withdraw = false;
        page
    }

    /// A rating came back.
    pub fn sample_result_refused(prefs: Prefs) -> Self {
        let mut page = Self::sample_result(prefs);
        page.rate = Some(RateForm {
            verdict: "not_solved".to_owned(),
            score: 0,
            reason: String::new(),
            until: ahead(15 * 24 - 2),
        });
        page.errors = errors(&[
            ("rate-score", page.ui.t("err-score")),
            ("rate-reason", page.ui.t("refusal-reason-missing")),
        ]);
        page
    }

    /// Rated, closed, and still to be reopened.
    pub fn sample_closed(prefs: Prefs) -> Self {
        let mut page = Self::sample_result(prefs);
        let ui = &page.ui;
        page.status = ui.t("status-closed");
        page.holder = ui.t("holder-nobody");
        page.rate = None;
        page.dues = Vec::new();
        page.rating = Some(RatingView {
            verdict: ui.t("verdict-partly"),
            score: 3,
            score_words: ui.t("score-3"),
            reason: Some(ui.pick(
                "灯修好了，台阶还是松的。",
                "The light works, but the step is still loose.",
            )),
        });
        page.reopen = Some(ReopenForm {
            reason: String::new(),
            until: ahead(13 * 24),
        });
        page.may_supplement = false;
        page
    }
}

impl ErrorPage {
    pub fn sample(prefs: Prefs, kind: ErrorKind) -> Self {
        let ui = Ui::sample(prefs, "/nowhere");
        let detail = (kind == ErrorKind::Refused).then(|| ui.t("refusal-window-ended"));
        let kept = matches!(
            kind,
            ErrorKind::Internal | ErrorKind::Unavailable | ErrorKind::FormExpired
        );
        Self {
            ui,
            kind,
            detail,
            request_id: Some("019ab0c4-7c11-7d21-9f7e-5a1b2c3d4e5f".to_owned()),
            kept_href: kept.then(|| "/submit/appeal/check".to_owned()),
        }
    }
}
