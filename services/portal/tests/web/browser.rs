//! One street with one person of each role, and a browser without a script.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use onetrip_casework::{Casework, NewStaff, system_clock};
use onetrip_cluster::testing::{TestDatabase, test_database};
use onetrip_event_log::{MasterKey, Vault};
use onetrip_http_kit::{CookiePolicy, HttpMetrics};
use onetrip_model::{StaffId, access::Role, policy::Rules};
use onetrip_portal::{HelpText, Portal};
use onetrip_runner::Runner;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt;
use uuid::Uuid;

pub const STREET: &str = "440304008";
pub const URBAN: &str = "440304008-urban";
pub const PASSWORD: &str = "a made-up password";

const PAGE_PATIENCE: Duration = Duration::from_secs(60);

const STAFF: [(&str, Role, &str, Option<&str>); 5] = [
    ("clerk", Role::Clerk, STREET, Some("440304008-desk")),
    ("cadre", Role::ContactCadre, STREET, Some("440304008-desk")),
    ("unit", Role::HandlingUnit, STREET, Some(URBAN)),
    ("supervisor", Role::Supervisor, "440304", None),
    ("administrator", Role::Administrator, "4403", None),
];

pub struct Site {
    pub router: Router,
    pub casework: Casework,
    pub database: TestDatabase,
}

/// The pages with nobody following the log.
pub async fn site() -> Site {
    patient_site(PAGE_PATIENCE).await
}

/// As [`site`], with so much time for a page.
pub async fn patient_site(patience: Duration) -> Site {
    let database = test_database(&sqlx::migrate!("../../migrations")).await;
    let pool = database.pool.clone();
    sqlx::raw_sql(
        "INSERT INTO divisions (code, level, name, name_en, parent_code) VALUES
            ('4403', 'city', '深圳市', 'Shenzhen', NULL),
            ('440304', 'district', '福田区', 'Futian', '4403'),
            ('440304008', 'street', '莲花街道', 'Lianhua', '440304'),
            ('440304008021', 'community', '彩田社区', NULL, '440304008');
         INSERT INTO units (code, name, name_en, division, office) VALUES
            ('440304008-desk', '莲花街道窗口', 'Lianhua desk', '440304008', 'desk'),
            ('440304008-urban', '莲花街道城管办', 'Lianhua urban office', '440304008', 'urban');",
    )
    .execute(&pool)
    .await
    .unwrap();
    let policy = include_str!("../../../../ops/policy/2026-1.toml");
    let days = include_str!("../../../../ops/data/cn-calendar.csv");
    let vault = Vault::new(&MasterKey::from_hex(&"0c".repeat(32)).unwrap());
    let rules = Arc::new(Rules::read(policy, days).unwrap());
    let registry = prometheus::Registry::new();
    let casework = Casework::new(pool.clone(), vault, rules, system_clock(), &registry)
        .await
        .unwrap()
        .with_patience(Duration::from_secs(30));
    for (place, (name, role, area, unit)) in STAFF.into_iter().enumerate() {
        let staff = NewStaff {
            id: StaffId(Uuid::from_u128(place as u128 + 1)),
            sign_in: name.to_owned(),
            name: name.to_owned(),
            name_en: name.to_owned(),
            role,
            area: area.into(),
            unit: unit.map(Into::into),
            password: PASSWORD.to_owned(),
        };
        casework.put_staff(staff).await.unwrap();
    }
    casework.directory().reload(casework.pool()).await.unwrap();
    Site {
        router: router(casework.clone(), patience),
        casework,
        database,
    }
}

fn router(casework: Casework, patience: Duration) -> Router {
    let help = HelpText {
        phone: "0755-12345".to_owned(),
        counter: "窗口".to_owned(),
        counter_en: "Counter".to_owned(),
    };
    let portal = Portal {
        casework,
        cookies: CookiePolicy { secure: false },
        help,
        patience,
    };
    onetrip_portal::router(portal, HttpMetrics::new(&prometheus::Registry::new()).unwrap())
}

impl Site {
    /// With so much time for the database to answer.
    pub fn with_database_patience(self, patience: Duration) -> Site {
        let casework = self.casework.with_patience(patience);
        Site {
            router: router(casework.clone(), PAGE_PATIENCE),
            casework,
            ..self
        }
    }

    /// Follows the log until the guard is dropped.
    pub async fn follow(&self) -> DropGuard {
        let runner = Runner::new(self.database.pool.clone(), onetrip_read_models::all());
        runner.prepare().await.unwrap();
        let stop = CancellationToken::new();
        let (stopping, log) = (stop.clone(), self.casework.log().clone());
        tokio::spawn(async move {
            let nudge = move || {
                let log = log.clone();
                async move { log.appended().await }
            };
            runner.run(stopping, nudge).await;
        });
        stop.drop_guard()
    }

    pub fn browser(&self) -> Browser {
        Browser {
            router: self.router.clone(),
            cookies: BTreeMap::new(),
            token: String::new(),
        }
    }

    pub async fn signed_in(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        browser.get("/staff/sign-in").await;
        let form = [("login", name), ("password", PASSWORD), ("next", "/staff")];
        let answer = browser.post("/staff/sign-in", &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.html);
        browser
    }
}

/// Reads English, keeps cookies, and sends the token of the last page that had one.
pub struct Browser {
    router: Router,
    pub cookies: BTreeMap<String, String>,
    token: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub html: String,
}

impl Answer {
    pub fn location(&self) -> &str {
        self.headers
            .get(header::LOCATION)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The value of the first control of this name.
    pub fn value(&self, name: &str) -> String {
        self.values(name).into_iter().next().unwrap_or_default()
    }

    pub fn values(&self, name: &str) -> Vec<String> {
        let named = format!(" name=\"{name}\"");
        let tags = self.html.split('<').filter(|tag| tag.contains(&named));
        tags.filter_map(|tag| tag.split(" value=\"").nth(1)?.split('"').next())
            .map(str::to_owned)
            .collect()
    }
}

impl Browser {
    async fn send(&mut self, mut request: Request<Body>) -> Answer {
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT_LANGUAGE, "en".parse().unwrap());
        headers.insert(header::ACCEPT, "text/html".parse().unwrap());
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            headers.insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            html: String::from_utf8_lossy(&bytes).into_owned(),
        };
        let token = answer.value("csrf");
        if !token.is_empty() {
            self.token = token;
        }
        answer
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_files(path, fields, &[]).await
    }

    /// Posts as `multipart/form-data`; a file is its field and its bytes.
    pub async fn post_files(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, Vec<u8>)],
    ) -> Answer {
        const BOUNDARY: &str = "between-the-fields";
        let mut body = Vec::new();
        let token = self.token.clone();
        for (name, value) in [("csrf", token.as_str())].iter().chain(fields) {
            let part =
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend(part.into_bytes());
        }
        for (name, bytes) in files {
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"photo.png\"\r\n\
                 Content-Type: image/png\r\n\r\n"
            );
            body.extend(head.into_bytes());
            body.extend(bytes);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(
                header::CONTENT_TYPE,
                format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }
}

/// Files an appeal step by step, and comes to the answer of the last step.
pub async fn file(browser: &mut Browser, place: &str) -> Answer {
    browser.get("/submit/appeal/what").await;
    let what = [
        ("category", "street_lights"),
        ("text", "The lamp is out."),
        ("act", "next"),
    ];
    browser.post("/submit/appeal/what", &what).await;
    let place = [("street", STREET), ("place", place), ("act", "next")];
    browser.post("/submit/appeal/where", &place).await;
    browser
        .post(
            "/submit/appeal/contact",
            &[("phone", "13800138000"), ("name", "Lam")],
        )
        .await;
    let check = browser.get("/submit/appeal/check").await;
    let key = check.value("idempotency_key");
    browser
        .post("/submit/appeal/check", &[("idempotency_key", &key)])
        .await
}
