use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id!(
    /// The stream of one case in the event log. Never shown to residents: they hold a [`super::CaseNumber`].
    CaseId
);
uuid_id!(
    /// A resident, known by a way to be reached and nothing else. An unnamed resident gets a fresh one per case.
    PersonId
);
uuid_id!(
    /// A member of staff.
    StaffId
);

macro_rules! code {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(code: &str) -> Self {
                Self(code.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

code!(
    /// A division of the city in the national statistical code: 4 digits city, 6 district, 9 street,
    /// 12 community. A division lies inside another exactly when its code starts with the other's.
    DivisionCode
);
code!(
    /// A handling unit or a street's desk.
    UnitCode
);
code!(
    /// A contact district (片区).
    ContactDistrictCode
);

impl DivisionCode {
    /// Whether `other` is this division or lies inside it.
    pub fn contains(&self, other: &DivisionCode) -> bool {
        other.0.starts_with(&self.0)
    }
}

/// The four tiers of the city, the highest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    City,
    District,
    Street,
    Community,
}

impl Tier {
    pub const ALL: [Tier; 4] = [Tier::City, Tier::District, Tier::Street, Tier::Community];

    /// The tier of a division, by the length of its code.
    pub fn of(division: &DivisionCode) -> Tier {
        match division.0.len() {
            0..=4 => Tier::City,
            5..=6 => Tier::District,
            7..=9 => Tier::Street,
            _ => Tier::Community,
        }
    }

    /// So many tiers up; None above the city.
    pub fn up(self, levels: usize) -> Option<Tier> {
        let place = Tier::ALL.iter().position(|tier| *tier == self)?;
        Tier::ALL.get(place.checked_sub(levels)?).copied()
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Tier::City => "city",
            Tier::District => "district",
            Tier::Street => "street",
            Tier::Community => "community",
        }
    }
}

/// The three kinds of case (诉求件).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// 诉求: asks for something to be put right.
    Appeal,
    /// 人民建议: proposes something.
    Suggestion,
    /// 听证申请: asks that a major matter be heard.
    HearingRequest,
}

impl CaseKind {
    pub const ALL: [CaseKind; 3] = [CaseKind::Appeal, CaseKind::Suggestion, CaseKind::HearingRequest];

    /// The stable name used in SQL, JSON and catalogue keys.
    pub fn as_str(self) -> &'static str {
        match self {
            CaseKind::Appeal => "appeal",
            CaseKind::Suggestion => "suggestion",
            CaseKind::HearingRequest => "hearing_request",
        }
    }

    pub fn parse(name: &str) -> Option<CaseKind> {
        CaseKind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How a command reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Portal,
    Staff,
    /// A clerk at a counter or on the phone filed for a resident.
    Counter,
    Api,
    /// Brought in from another system's export at its historical instants.
    Import,
    /// The service's own clocks and reactors.
    Service,
}

/// Who did it, as the event remembers it: pseudonymous ids only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Resident(PersonId),
    Staff {
        id: StaffId,
        unit: Option<UnitCode>,
    },
    /// A unit of another system whose people are not known here (imports).
    Unit(UnitCode),
    Service,
}

impl By {
    /// Which member of staff it was, if it was one.
    pub fn staff(&self) -> Option<StaffId> {
        match self {
            By::Staff { id, .. } => Some(*id),
            By::Resident(_) | By::Unit(_) | By::Service => None,
        }
    }
}

/// A photo or paper that belongs to a case; its bytes lie sealed in the attachment store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentRef {
    pub id: Uuid,
    /// Media type of the stored (re-encoded) bytes.
    pub media_type: String,
    pub size_bytes: u64,
}
