use crate::moments::monday_9am;
use onetrip_model::{
    AttachmentRef, By, CaseId, CaseNumber, PersonId, StaffId, UnitCode,
    access::{Role, StaffMember},
    case::{Contact, MaterialAsk, PlaceProof, Rating, Source, Submission, Verdict},
};
use uuid::Uuid;

/// 莲花街道 and one of its communities.
pub const STREET: &str = "440304008";
pub const COMMUNITY: &str = "440304008003";
pub const DISTRICT: &str = "440304008-1";

/// The units of that street: its desk, and the offices that categories are routed to.
pub const DESK: &str = "440304008-desk";
pub const URBAN: &str = "440304008-urban";
pub const SAFETY: &str = "440304008-safety";
pub const SERVICES: &str = "440304008-services";

pub const CASE: CaseId = CaseId(Uuid::from_u128(0xCA5E));
pub const RESIDENT: PersonId = PersonId(Uuid::from_u128(0x9E50));
pub const CLERK: StaffId = StaffId(Uuid::from_u128(0x51));
pub const CADRE: StaffId = StaffId(Uuid::from_u128(0x52));
pub const HANDLER: StaffId = StaffId(Uuid::from_u128(0x53));
pub const SUPERVISOR: StaffId = StaffId(Uuid::from_u128(0x54));
pub const SAFETY_HANDLER: StaffId = StaffId(Uuid::from_u128(0x55));
pub const ADMINISTRATOR: StaffId = StaffId(Uuid::from_u128(0x56));

pub fn unit(code: &str) -> UnitCode {
    code.into()
}

/// The street's staff, one of each role, and a second handling unit.
pub fn staff(id: StaffId) -> StaffMember {
    let member = |role, unit: Option<&str>| StaffMember {
        id,
        role,
        area: STREET.into(),
        unit: unit.map(Into::into),
        contact_districts: Vec::new(),
    };
    match id {
        CLERK => member(Role::Clerk, Some(DESK)),
        CADRE => StaffMember {
            contact_districts: vec![DISTRICT.into()],
            ..member(Role::ContactCadre, None)
        },
        HANDLER => member(Role::HandlingUnit, Some(URBAN)),
        SAFETY_HANDLER => member(Role::HandlingUnit, Some(SAFETY)),
        SUPERVISOR => member(Role::Supervisor, None),
        ADMINISTRATOR => StaffMember {
            area: "4403".into(),
            ..member(Role::Administrator, None)
        },
        other => panic!("nobody has the id {other}"),
    }
}

pub fn by_staff(id: StaffId) -> By {
    By::Staff {
        id,
        unit: staff(id).unit,
    }
}

pub fn by_resident() -> By {
    By::Resident(RESIDENT)
}

/// An appeal about a street light, by a resident who can be called.
pub fn submission() -> Submission {
    Submission {
        case: CASE,
        number: CaseNumber::from_random(82_715_590_331),
        person: RESIDENT,
        contact: Some(Contact {
            name: Some("林秀英".to_owned()),
            phone: "13800138000".to_owned(),
        }),
        category: "street_lights".to_owned(),
        division: COMMUNITY.into(),
        contact_district: Some(DISTRICT.into()),
        place_words: Some("莲花北村 12 栋楼下".to_owned()),
        point: Some((22.5535, 114.0579)),
        words: "路灯不亮三天了".to_owned(),
        attachments: Vec::new(),
        matter: "matter".to_owned(),
        previous: None,
        new_fact: None,
        first_receiver: DESK.into(),
        source: None,
    }
}

/// As [`submission`], for the `n`-th case: with an id, a number, a resident and a matter of its own.
pub fn submission_of(n: u32) -> Submission {
    Submission {
        case: CaseId(Uuid::from_u128(0xCA5E_0000_0000 + u128::from(n))),
        number: CaseNumber::from_random(u64::from(n) * 7_919 + 13),
        person: PersonId(Uuid::from_u128(0x9E50_0000_0000 + u128::from(n))),
        matter: format!("matter {n}"),
        ..submission()
    }
}

/// An appeal of a category that has no place.
pub fn placeless() -> Submission {
    Submission {
        category: "wages".to_owned(),
        ..submission()
    }
}

/// A case that another system has had.
pub fn imported() -> Submission {
    let source = Source {
        system: "boston-311".to_owned(),
        id: "101".to_owned(),
        target_at: None,
        observed_until: monday_9am() + crate::days(300),
    };
    Submission {
        category: "Pothole".to_owned(),
        contact: None,
        source: Some(source),
        ..submission()
    }
}

pub fn photo(n: u128) -> AttachmentRef {
    AttachmentRef {
        id: Uuid::from_u128(0xF0_0000 + n),
        media_type: "image/jpeg".to_owned(),
        size_bytes: 1_000,
    }
}

pub fn after_photo() -> Option<PlaceProof> {
    Some(PlaceProof::AfterPhoto(photo(1)))
}

pub fn ask(kind: &str) -> MaterialAsk {
    MaterialAsk {
        kind: kind.to_owned(),
        words: None,
    }
}

pub fn rating(verdict: Verdict, score: u8, reason: Option<&str>) -> Rating {
    Rating {
        verdict,
        score,
        reason: reason.map(str::to_owned),
    }
}
