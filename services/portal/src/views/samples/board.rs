use chrono::NaiveDate;
use onetrip_http_kit::Prefs;
use onetrip_i18n::month;

use super::{
    super::{
        BoardCasesPage, BoardFilters, BoardPage, Chart, ChartRow, Choice, CountTile, Kind, RangeChart,
        RangeRow, Tile, Ui,
    },
    SamplePage, now, page,
    staff::rows,
    streets,
};

pub(super) fn all(prefs: Prefs) -> Vec<SamplePage> {
    vec![
        page("staff-board", &BoardPage::sample(prefs)),
        page("staff-board-cases", &BoardCasesPage::sample(prefs)),
    ]
}

const CASES: &str = "/staff/board/cases?figure=";

fn tile(id: &'static str, numerator: u64, denominator: u64) -> Tile {
    Tile {
        id,
        numerator,
        denominator,
        numerator_href: format!("{CASES}{id}&part=numerator"),
        denominator_href: format!("{CASES}{id}&part=denominator"),
        beside: None,
    }
}

fn months(ui: &Ui, chosen: u32) -> Vec<Choice> {
    (6..=11)
        .rev()
        .filter_map(|m| NaiveDate::from_ymd_opt(2026, m, 1))
        .map(|day| {
            Choice::new(
                day.format("%Y-%m").to_string(),
                month(ui.locale(), day),
                day.format("%-m").to_string() == chosen.to_string(),
            )
        })
        .collect()
}

fn share_row(label: String, numerator: u64, denominator: u64) -> ChartRow {
    ChartRow {
        label,
        href: format!("{CASES}on-time"),
        n: denominator,
        value: if denominator == 0 {
            0.0
        } else {
            numerator as f64 / denominator as f64
        },
        value_text: onetrip_i18n::per_cent(numerator, denominator),
        small: denominator < 5,
    }
}

fn range_row(label: String, n: u64, open: u64, hours: [Option<f64>; 4]) -> RangeRow {
    RangeRow {
        label,
        href: format!("{CASES}times"),
        n,
        open,
        hours,
        small: n < 5,
    }
}

impl BoardPage {
    pub fn sample(prefs: Prefs) -> Self {
        let ui = Ui::sample_staff(prefs, "/staff/board?from=2026-06", true);
        let unit = |zh: &str, en: &str| ui.pick(zh, en);
        let urban = unit("城市管理办公室", "Urban management");
        let safety = unit("应急管理办公室", "Safety");
        let services = unit("公共服务办公室", "Public services");
        let community = unit("社区建设办公室", "Community affairs");
        let on_time = ui.t("figure-on-time");
        let by = |key: &str| ui.t2("board-title-by", "figure", &on_time, "by", ui.t(key));
        let tiles = vec![
            tile("response_rate", 4_812, 4_986),
            tile("on_time", 4_377, 4_790),
            Tile {
                beside: Some(ui.t2("board-beside-reached", "partly", "312", "missed", "488")),
                ..tile("resolution_rate", 2_941, 3_410)
            },
            Tile {
                beside: Some(ui.t1("board-beside-rated", "share", "62.1%")),
                ..tile("satisfaction", 2_604, 2_820)
            },
            tile("share_rated", 2_820, 4_541),
            tile("run_once", 4_402, 4_541),
            tile("reopened", 118, 4_541),
        ];
        let times = range_row(
            ui.t("board-all-units"),
            4_986,
            611,
            [Some(71.0), Some(142.5), Some(231.0), None],
        );
        Self {
            filters: BoardFilters {
                areas: streets("440305007"),
                units: vec![
                    Choice::new("u1", urban.clone(), false),
                    Choice::new("u2", safety.clone(), false),
                ],
                kinds: Kind::ALL
                    .into_iter()
                    .map(|kind| Choice::new(kind.id(), ui.member("kind", kind.id()), false))
                    .collect(),
                from: "2026-06".to_owned(),
                to: "2026-11".to_owned(),
                from_months: months(&ui, 6),
                to_months: months(&ui, 11),
            },
            as_of: now(),
            counts: vec![
                CountTile {
                    id: "open",
                    n: 1_204,
                    href: format!("{CASES}open"),
                    pressing: false,
                },
                CountTile {
                    id: "overdue",
                    n: 37,
                    href: format!("{CASES}overdue"),
                    pressing: true,
                },
            ],
            tiles,
            times: RangeChart {
                id: "times-all",
                title: ui.t("board-times"),
                by: ui.t("board-col-unit"),
                rows: vec![times],
                max_hours: 360.0,
            },
            ranges: vec![RangeChart {
                id: "times-unit",
                title: ui.t1("board-title-times", "by", ui.t("board-by-unit")),
                by: ui.t("board-col-unit"),
                rows: vec![
                    range_row(
                        urban.clone(),
                        2_210,
                        240,
                        [Some(60.0), Some(118.0), Some(196.0), Some(251.0)],
                    ),
                    range_row(
                        safety.clone(),
                        904,
                        81,
                        [Some(20.0), Some(44.0), Some(110.0), Some(170.0)],
                    ),
                    range_row(
                        services.clone(),
                        1_480,
                        190,
                        [Some(38.0), Some(72.0), Some(150.0), None],
                    ),
                    range_row(community.clone(), 3, 1, [None; 4]),
                ],
                max_hours: 300.0,
            }],
            charts: vec![
                Chart {
                    id: "month",
                    title: ui.t1("board-title-received", "by", ui.t("board-by-month")),
                    by: ui.t("board-col-month"),
                    value_name: ui.t("board-cases"),
                    rows: [(6, 702u32), (7, 811), (8, 766), (9, 980), (10, 871), (11, 856)]
                        .into_iter()
                        .filter_map(|(m, n)| Some((NaiveDate::from_ymd_opt(2026, m, 1)?, n)))
                        .map(|(day, n)| ChartRow {
                            label: month(ui.locale(), day),
                            href: format!("{CASES}received"),
                            n: n.into(),
                            value: n.into(),
                            value_text: n.to_string(),
                            small: false,
                        })
                        .collect(),
                    max: 980.0,
                    over_time: true,
                },
                Chart {
                    id: "unit",
                    title: by("board-by-unit"),
                    by: ui.t("board-col-unit"),
                    value_name: on_time.clone(),
                    rows: vec![
                        share_row(urban, 1_960, 2_210),
                        share_row(safety, 861, 904),
                        share_row(services, 1_390, 1_480),
                        share_row(community, 2, 3),
                    ],
                    max: 1.0,
                    over_time: false,
                },
                Chart {
                    id: "district",
                    title: ui.t1("board-title-received", "by", ui.t("board-by-district")),
                    by: ui.t("board-col-district"),
                    value_name: ui.t("board-value-per"),
                    rows: [
                        ("福田区", 3_120u32, 20.1),
                        ("南山区", 4_986, 27.8),
                        ("罗湖区", 1_904, 16.6),
                    ]
                    .into_iter()
                    .map(|(name, n, per)| ChartRow {
                        label: name.to_owned(),
                        href: format!("{CASES}received"),
                        n: n.into(),
                        value: per,
                        value_text: format!("{per:.1}"),
                        small: false,
                    })
                    .collect(),
                    max: 27.8,
                    over_time: false,
                },
                Chart {
                    id: "kind",
                    title: by("board-by-kind"),
                    by: ui.t("board-col-kind"),
                    value_name: on_time,
                    rows: vec![
                        share_row(ui.t("kind-appeal"), 4_010, 4_380),
                        share_row(ui.t("kind-suggestion"), 341, 380),
                        share_row(ui.t("kind-hearing-request"), 26, 30),
                    ],
                    max: 1.0,
                    over_time: false,
                },
            ],
            ui,
        }
    }
}

impl BoardCasesPage {
    pub fn sample(prefs: Prefs) -> Self {
        let ui = Ui::sample_staff(prefs, "/staff/board/cases?figure=overdue", true);
        Self {
            title: ui.t2(
                "board-part-of",
                "figure",
                ui.t("figure-on-time"),
                "part",
                ui.t("board-part-denominator"),
            ),
            restated: vec![
                (ui.t("board-area"), "粤海街道".to_owned()),
                (ui.t("board-unit"), ui.t("board-all-units")),
                (ui.t("board-kind"), ui.t("board-all-kinds")),
                (ui.t("board-from"), "2026-06".to_owned()),
                (ui.t("board-to"), "2026-11".to_owned()),
            ],
            total: 4_790,
            rows: rows(&ui),
            back_href: "/staff/board".to_owned(),
            first_href: None,
            next_href: Some("/staff/board/cases?after=abc".to_owned()),
            ui,
        }
    }
}
