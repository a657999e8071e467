//! Who may do what: one pure function for acts on a case, one for what a list may show.
//! Every endpoint, list and count goes through them.

use crate::{
    case::{CaseAct, Filed, ReviewLevel},
    policy::Policy,
    primitives::{By, CaseId, ContactDistrictCode, DivisionCode, PersonId, StaffId, Tier, UnitCode},
};
use serde::{Deserialize, Serialize};

/// Who is asking, as far as the service has made sure of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody in particular: may file, and may try a number and secret.
    Visitor,
    /// A resident who has shown number and secret of one case.
    Resident {
        case: CaseId,
        person: PersonId,
    },
    Staff(StaffMember),
    /// The service's own clocks, and imports.
    Service,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffMember {
    pub id: StaffId,
    pub role: Role,
    /// The division this person works for; nothing outside it is visible.
    pub area: DivisionCode,
    pub unit: Option<UnitCode>,
    /// The contact districts this person is fixed contact for.
    pub contact_districts: Vec<ContactDistrictCode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 窗口人员 at a street's desk.
    Clerk,
    /// 联系干部
    ContactCadre,
    /// 承办单位
    HandlingUnit,
    /// 督办
    Supervisor,
    /// Runs the service; sees no case.
    Administrator,
}

impl Role {
    pub const ALL: [Role; 5] = [
        Role::Clerk,
        Role::ContactCadre,
        Role::HandlingUnit,
        Role::Supervisor,
        Role::Administrator,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Clerk => "clerk",
            Role::ContactCadre => "contact_cadre",
            Role::HandlingUnit => "handling_unit",
            Role::Supervisor => "supervisor",
            Role::Administrator => "administrator",
        }
    }

    pub fn parse(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    File,
    FileForResident,
    ViewCase,
    /// Name and phone of the resident.
    ViewContact,
    AddSupplement,
    Accept,
    Decline,
    Assign,
    OfferHandOver,
    TakeOver,
    ReturnHandOver,
    FollowUp,
    AskTrip,
    RequestMaterials,
    AnswerRequest,
    RecordSilence,
    WaiveLimit,
    GiveResult,
    Rate,
    Reopen,
    Withdraw,
    CloseUnrated,
    CloseFromSource,
    OwnRating,
    KeepPromise,
    BeginLawPause,
    EndLawPause,
    ExtendLegalLimit,
    OrderJointHandling,
    Contribute,
    AskReview,
    DecideReview,
    Merge,
    Unmerge,
    Urge,
    RunClocks,
    RecomputeDeadlines,
    ViewQueue,
    ViewBoard,
    Administer,
}

impl Act {
    pub const ALL: [Act; 40] = [
        Act::File,
        Act::FileForResident,
        Act::ViewCase,
        Act::ViewContact,
        Act::AddSupplement,
        Act::Accept,
        Act::Decline,
        Act::Assign,
        Act::OfferHandOver,
        Act::TakeOver,
        Act::ReturnHandOver,
        Act::FollowUp,
        Act::AskTrip,
        Act::RequestMaterials,
        Act::AnswerRequest,
        Act::RecordSilence,
        Act::WaiveLimit,
        Act::GiveResult,
        Act::Rate,
        Act::Reopen,
        Act::Withdraw,
        Act::CloseUnrated,
        Act::CloseFromSource,
        Act::OwnRating,
        Act::KeepPromise,
        Act::BeginLawPause,
        Act::EndLawPause,
        Act::ExtendLegalLimit,
        Act::OrderJointHandling,
        Act::Contribute,
        Act::AskReview,
        Act::DecideReview,
        Act::Merge,
        Act::Unmerge,
        Act::Urge,
        Act::RunClocks,
        Act::RecomputeDeadlines,
        Act::ViewQueue,
        Act::ViewBoard,
        Act::Administer,
    ];
}

impl CaseAct {
    /// The act that has to be allowed for this command.
    pub fn needs(&self) -> Act {
        match self {
            CaseAct::SubmitAppeal(_) | CaseAct::SubmitSuggestion(_) | CaseAct::RequestHearing(_) => Act::File,
            CaseAct::AddSupplement { .. } => Act::AddSupplement,
            CaseAct::Accept => Act::Accept,
            CaseAct::Decline { .. } => Act::Decline,
            CaseAct::Assign { .. } => Act::Assign,
            CaseAct::OfferHandOver { .. } => Act::OfferHandOver,
            CaseAct::TakeOver { .. } => Act::TakeOver,
            CaseAct::ReturnHandOver { .. } => Act::ReturnHandOver,
            CaseAct::FollowUp(_) => Act::FollowUp,
            CaseAct::AskTrip { .. } => Act::AskTrip,
            CaseAct::RequestMaterials { .. } => Act::RequestMaterials,
            CaseAct::AnswerRequest { .. } => Act::AnswerRequest,
            CaseAct::RecordSilence => Act::RecordSilence,
            CaseAct::WaiveLimit { .. } | CaseAct::WaiveHeldPapers { .. } => Act::WaiveLimit,
            CaseAct::GiveResult { .. } => Act::GiveResult,
            CaseAct::Rate(_) => Act::Rate,
            CaseAct::Reopen { .. } => Act::Reopen,
            CaseAct::Withdraw { .. } => Act::Withdraw,
            CaseAct::CloseUnrated => Act::CloseUnrated,
            CaseAct::CloseFromSource { .. } => Act::CloseFromSource,
            CaseAct::OwnRating => Act::OwnRating,
            CaseAct::KeepPromise { .. } => Act::KeepPromise,
            CaseAct::BeginLawPause { .. } => Act::BeginLawPause,
            CaseAct::EndLawPause => Act::EndLawPause,
            CaseAct::ExtendLegalLimit { .. } => Act::ExtendLegalLimit,
            CaseAct::OrderJointHandling { .. } => Act::OrderJointHandling,
            CaseAct::Contribute { .. } => Act::Contribute,
            CaseAct::AskReview { .. } => Act::AskReview,
            CaseAct::DecideReview { .. } => Act::DecideReview,
            CaseAct::Merge { .. } => Act::Merge,
            CaseAct::Unmerge { .. } => Act::Unmerge,
            CaseAct::Urge { .. } => Act::Urge,
            CaseAct::RunClocks { .. } => Act::RunClocks,
            CaseAct::RecomputeDeadlines => Act::RecomputeDeadlines,
        }
    }
}

/// What stands between somebody and a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRelation {
    pub case: CaseId,
    pub division: DivisionCode,
    pub contact_district: Option<ContactDistrictCode>,
    pub contact_cadre: Option<StaffId>,
    /// The unit that answers for it now.
    pub unit: Option<UnitCode>,
    pub offered_to: Option<UnitCode>,
    /// Units that do it together with the one that answers for it.
    pub joint_units: Vec<UnitCode>,
    pub with_supervisor: bool,
    /// A unit is at work on it.
    pub is_handled: bool,
    /// The second look that is being taken at it.
    pub under_review: Option<ReviewLevel>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Has to sign in, or show number and secret.
    #[error("not signed in")]
    NotSignedIn,
    /// May not know that there is such a case: answered like one that is not there.
    #[error("not visible")]
    NotVisible,
    /// Sees the case, but this act is not theirs.
    #[error("not allowed")]
    NotAllowed,
}

/// Whether `actor` may do `act`; `case` is the case it is about, where it is about one.
pub fn authorize(actor: &Actor, act: Act, case: Option<&CaseRelation>) -> Result<(), Denied> {
    match (actor, act, case) {
        (_, Act::File, None) => Ok(()),
        (Actor::Service, _, _) => Ok(()),
        (Actor::Visitor, _, _) => Err(Denied::NotSignedIn),
        (Actor::Resident { case: own, .. }, act, Some(case)) => resident_may(own == &case.case, act),
        (Actor::Resident { .. }, _, None) => Err(Denied::NotAllowed),
        (Actor::Staff(staff), act, Some(case)) => {
            if !sees(staff, case) {
                return Err(Denied::NotVisible);
            }
            if staff_may(staff, act, case) {
                Ok(())
            } else {
                Err(Denied::NotAllowed)
            }
        }
        (Actor::Staff(staff), act, None) => {
            let allowed = match act {
                Act::FileForResident => matches!(staff.role, Role::Clerk | Role::ContactCadre),
                Act::ViewQueue => staff.role != Role::Administrator,
                Act::ViewBoard => staff.role == Role::Supervisor,
                Act::Administer => staff.role == Role::Administrator,
                _ => false,
            };
            if allowed { Ok(()) } else { Err(Denied::NotAllowed) }
        }
    }
}

fn resident_may(own: bool, act: Act) -> Result<(), Denied> {
    if !own {
        return Err(Denied::NotVisible);
    }
    match act {
        Act::ViewCase
        | Act::AddSupplement
        | Act::AnswerRequest
        | Act::Rate
        | Act::Reopen
        | Act::AskReview
        | Act::Withdraw => Ok(()),
        _ => Err(Denied::NotAllowed),
    }
}

fn holds(staff: &StaffMember, unit: Option<&UnitCode>) -> bool {
    staff.unit.is_some() && staff.unit.as_ref() == unit
}

fn is_joint(staff: &StaffMember, case: &CaseRelation) -> bool {
    staff
        .unit
        .as_ref()
        .is_some_and(|unit| case.joint_units.contains(unit))
}

fn is_contact(staff: &StaffMember, case: &CaseRelation) -> bool {
    case.contact_cadre == Some(staff.id)
        || case
            .contact_district
            .as_ref()
            .is_some_and(|district| staff.contact_districts.contains(district))
}

fn sees(staff: &StaffMember, case: &CaseRelation) -> bool {
    let held =
        holds(staff, case.unit.as_ref()) || holds(staff, case.offered_to.as_ref()) || is_joint(staff, case);
    match staff.role {
        Role::Administrator => false,
        Role::Clerk => held || staff.area.contains(&case.division),
        Role::Supervisor => staff.area.contains(&case.division),
        Role::ContactCadre => held || is_contact(staff, case),
        Role::HandlingUnit => held,
    }
}

fn staff_may(staff: &StaffMember, act: Act, case: &CaseRelation) -> bool {
    let holder = holds(staff, case.unit.as_ref());
    let role = staff.role;
    match act {
        Act::ViewCase => true,
        // Identity and content travel apart: those who must reach the resident see how; the rest don't.
        Act::ViewContact => match role {
            Role::Clerk => holder,
            Role::ContactCadre => is_contact(staff, case),
            _ => false,
        },
        Act::AddSupplement | Act::AnswerRequest => role == Role::Clerk,
        Act::Accept | Act::Decline => match role {
            Role::Clerk => holder,
            Role::ContactCadre => is_contact(staff, case) || holder,
            Role::HandlingUnit => holder,
            _ => false,
        },
        // From a unit at work the holder and the cadre hand it over, which needs a taker; the supervisor moves it.
        Act::Assign if case.with_supervisor || case.is_handled => role == Role::Supervisor,
        Act::Assign => match role {
            Role::Clerk | Role::HandlingUnit => holder,
            Role::ContactCadre => is_contact(staff, case) || holder,
            Role::Supervisor => true,
            Role::Administrator => false,
        },
        Act::TakeOver => holds(staff, case.offered_to.as_ref()),
        // Whoever it was offered to sends it back; the holder and the supervisor take it back, or a case whose offer
        // nobody answers would stand still for good.
        Act::ReturnHandOver => holds(staff, case.offered_to.as_ref()) || holder || role == Role::Supervisor,
        Act::FollowUp => is_contact(staff, case) || holder || role == Role::Supervisor,
        Act::OfferHandOver | Act::GiveResult | Act::RecordSilence | Act::CloseUnrated => {
            holder || is_contact(staff, case)
        }
        Act::AskTrip | Act::RequestMaterials | Act::KeepPromise => holder || is_contact(staff, case),
        Act::BeginLawPause | Act::EndLawPause => match case.under_review {
            Some(level) => may_review(staff, level),
            // Clocks that stand still on one's own word need somebody else who can set them going.
            None => {
                holder || is_contact(staff, case) || (act == Act::EndLawPause && role == Role::Supervisor)
            }
        },
        Act::Merge | Act::Unmerge | Act::OrderJointHandling => {
            holder || is_contact(staff, case) || role == Role::Supervisor
        }
        Act::Contribute => is_joint(staff, case),
        Act::OwnRating => is_contact(staff, case) || role == Role::Supervisor,
        Act::WaiveLimit | Act::ExtendLegalLimit | Act::Urge => role == Role::Supervisor,
        Act::DecideReview => case.under_review.is_some_and(|level| may_review(staff, level)),
        Act::Rate | Act::Reopen | Act::AskReview | Act::Withdraw => false,
        Act::CloseFromSource | Act::RunClocks | Act::RecomputeDeadlines => false,
        Act::File | Act::FileForResident | Act::ViewQueue | Act::ViewBoard | Act::Administer => false,
    }
}

/// The tier above the street reviews, the city finally [XF 35, 36].
fn may_review(staff: &StaffMember, level: ReviewLevel) -> bool {
    let lowest = match level {
        ReviewLevel::Review => Tier::District,
        ReviewLevel::FinalReview => Tier::City,
    };
    staff.role == Role::Supervisor && Tier::of(&staff.area) <= lowest
}

/// Which cases a list, a count or a chart may be made of. The SQL of a read model turns it into its filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Nothing,
    Area(DivisionCode),
    /// A unit's cases (held or offered), within everything.
    Unit(UnitCode),
    /// A contact cadre's cases: assigned to them, in their contact districts, or at their unit.
    Contact {
        staff: StaffId,
        districts: Vec<ContactDistrictCode>,
        unit: Option<UnitCode>,
    },
    /// A street desk's: all of its area, and what its unit holds or is offered.
    AreaAndUnit {
        area: DivisionCode,
        unit: Option<UnitCode>,
    },
    Everything,
}

/// What `actor` may see in a list. Agrees with [`authorize`] on [`Act::ViewCase`].
pub fn scope(actor: &Actor) -> Scope {
    let Actor::Staff(staff) = actor else {
        return if *actor == Actor::Service {
            Scope::Everything
        } else {
            Scope::Nothing
        };
    };
    match staff.role {
        Role::Administrator => Scope::Nothing,
        Role::Supervisor => Scope::Area(staff.area.clone()),
        Role::Clerk => Scope::AreaAndUnit {
            area: staff.area.clone(),
            unit: staff.unit.clone(),
        },
        Role::HandlingUnit => staff.unit.clone().map_or(Scope::Nothing, Scope::Unit),
        Role::ContactCadre => Scope::Contact {
            staff: staff.id,
            districts: staff.contact_districts.clone(),
            unit: staff.unit.clone(),
        },
    }
}

impl Scope {
    /// The rule of the SQL filters, for one case: the tests hold the two against each other.
    pub fn includes(&self, case: &CaseRelation) -> bool {
        let is_unit = |unit: &UnitCode| {
            case.unit.as_ref() == Some(unit)
                || case.offered_to.as_ref() == Some(unit)
                || case.joint_units.contains(unit)
        };
        match self {
            Scope::Nothing => false,
            Scope::Everything => true,
            Scope::Area(area) => area.contains(&case.division),
            Scope::Unit(unit) => is_unit(unit),
            Scope::AreaAndUnit { area, unit } => {
                area.contains(&case.division) || unit.as_ref().is_some_and(is_unit)
            }
            Scope::Contact {
                staff,
                districts,
                unit,
            } => {
                case.contact_cadre == Some(*staff)
                    || case
                        .contact_district
                        .as_ref()
                        .is_some_and(|district| districts.contains(district))
                    || unit.as_ref().is_some_and(is_unit)
            }
        }
    }
}

/// Whether anybody who is about to report the same may be told that there is this case (without its number, words, exact
/// place and resident), and may have theirs handled with it.
pub fn is_shared(policy: &Policy, filed: &Filed) -> bool {
    let category = policy.category(&filed.category);
    category.is_some_and(|category| category.shared) && filed.is_joinable()
}

impl Actor {
    /// How events remember this actor.
    pub fn by(&self) -> Option<By> {
        match self {
            Actor::Visitor => None,
            Actor::Resident { person, .. } => Some(By::Resident(*person)),
            Actor::Staff(staff) => Some(By::Staff {
                id: staff.id,
                unit: staff.unit.clone(),
            }),
            Actor::Service => Some(By::Service),
        }
    }

    pub fn staff(&self) -> Option<&StaffMember> {
        match self {
            Actor::Staff(staff) => Some(staff),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn staff(role: Role) -> StaffMember {
        StaffMember {
            id: StaffId(Uuid::from_u128(1)),
            role,
            area: "440304008".into(),
            unit: Some("440304008-desk".into()),
            contact_districts: vec!["440304008-1".into()],
        }
    }

    fn case() -> CaseRelation {
        CaseRelation {
            case: CaseId(Uuid::from_u128(9)),
            division: "440304008021".into(),
            contact_district: Some("440304008-1".into()),
            contact_cadre: None,
            unit: Some("440304008-urban".into()),
            offered_to: None,
            joint_units: Vec::new(),
            with_supervisor: false,
            is_handled: false,
            under_review: None,
        }
    }

    #[test]
    fn a_visitor_may_file_and_nothing_else() {
        for act in Act::ALL {
            let expected = if act == Act::File {
                Ok(())
            } else {
                Err(Denied::NotSignedIn)
            };
            assert_eq!(authorize(&Actor::Visitor, act, None), expected);
            assert!(authorize(&Actor::Visitor, act, Some(&case())).is_err());
        }
    }

    #[test]
    fn a_resident_sees_their_own_case_only() {
        let own = case();
        let resident = Actor::Resident {
            case: own.case,
            person: PersonId(Uuid::from_u128(3)),
        };
        assert_eq!(authorize(&resident, Act::Rate, Some(&own)), Ok(()));
        assert_eq!(
            authorize(&resident, Act::GiveResult, Some(&own)),
            Err(Denied::NotAllowed)
        );
        let other = CaseRelation {
            case: CaseId(Uuid::from_u128(10)),
            ..own
        };
        for act in Act::ALL {
            assert_eq!(authorize(&resident, act, Some(&other)), Err(Denied::NotVisible));
        }
    }

    #[test]
    fn an_administrator_sees_no_case() {
        let administrator = Actor::Staff(staff(Role::Administrator));
        for act in Act::ALL {
            assert_eq!(
                authorize(&administrator, act, Some(&case())),
                Err(Denied::NotVisible)
            );
        }
    }

    #[test]
    fn only_a_supervisor_waives_and_only_inside_their_area() {
        for role in Role::ALL {
            let actor = Actor::Staff(staff(role));
            assert_eq!(
                authorize(&actor, Act::WaiveLimit, Some(&case())).is_ok(),
                role == Role::Supervisor
            );
        }
        let elsewhere = CaseRelation {
            division: "440305001002".into(),
            ..case()
        };
        let supervisor = Actor::Staff(staff(Role::Supervisor));
        assert_eq!(
            authorize(&supervisor, Act::WaiveLimit, Some(&elsewhere)),
            Err(Denied::NotVisible)
        );
    }

    #[test]
    fn the_handling_unit_does_not_see_who_the_resident_is() {
        let unit = StaffMember {
            unit: Some("440304008-urban".into()),
            ..staff(Role::HandlingUnit)
        };
        assert_eq!(
            authorize(&Actor::Staff(unit.clone()), Act::GiveResult, Some(&case())),
            Ok(())
        );
        assert_eq!(
            authorize(&Actor::Staff(unit), Act::ViewContact, Some(&case())),
            Err(Denied::NotAllowed)
        );
    }

    #[test]
    fn only_the_offered_unit_takes_over() {
        let offered = CaseRelation {
            offered_to: Some("440304008-desk".into()),
            ..case()
        };
        assert_eq!(
            authorize(&Actor::Staff(staff(Role::Clerk)), Act::TakeOver, Some(&offered)),
            Ok(())
        );
        assert_eq!(
            authorize(&Actor::Staff(staff(Role::Clerk)), Act::TakeOver, Some(&case())),
            Err(Denied::NotAllowed)
        );
    }

    #[test]
    fn only_a_supervisor_moves_a_case_from_the_unit_that_is_at_work_on_it() {
        let handled = CaseRelation {
            unit: Some("440304008-desk".into()),
            is_handled: true,
            ..case()
        };
        for role in Role::ALL {
            let may = authorize(&Actor::Staff(staff(role)), Act::Assign, Some(&handled)).is_ok();
            assert_eq!(may, role == Role::Supervisor, "{role:?}");
        }
    }

    #[test]
    fn clocks_that_a_holder_had_stand_still_a_supervisor_sets_going_again() {
        let supervisor = Actor::Staff(StaffMember {
            unit: None,
            contact_districts: Vec::new(),
            ..staff(Role::Supervisor)
        });
        let may = |act| authorize(&supervisor, act, Some(&case()));
        assert_eq!(may(Act::EndLawPause), Ok(()));
        assert_eq!(may(Act::BeginLawPause), Err(Denied::NotAllowed));
    }

    #[test]
    fn an_offer_is_ended_by_who_got_it_who_made_it_and_the_supervisor() {
        let at = |role, unit: Option<&str>| {
            Actor::Staff(StaffMember {
                unit: unit.map(Into::into),
                ..staff(role)
            })
        };
        let offered = CaseRelation {
            offered_to: Some("440304008-safety".into()),
            ..case()
        };
        for (actor, may) in [
            (at(Role::HandlingUnit, Some("440304008-safety")), true),
            (at(Role::HandlingUnit, Some("440304008-urban")), true),
            (at(Role::Supervisor, None), true),
            (at(Role::Clerk, Some("440304008-desk")), false),
            (at(Role::ContactCadre, None), false),
        ] {
            assert_eq!(
                authorize(&actor, Act::ReturnHandOver, Some(&offered)).is_ok(),
                may,
                "{actor:?}"
            );
        }
        let elsewhere = CaseRelation {
            division: "440305001002".into(),
            ..offered
        };
        assert_eq!(
            authorize(&at(Role::Supervisor, None), Act::ReturnHandOver, Some(&elsewhere)),
            Err(Denied::NotVisible)
        );
    }

    proptest! {
        /// A list never shows what a direct look would refuse, nor hides what it would grant.
        #[test]
        fn lists_and_single_looks_agree(
            role in prop::sample::select(Role::ALL.to_vec()),
            area in prop::sample::select(vec!["4403", "440304", "440304008", "440305"]),
            division in prop::sample::select(vec!["440304008021", "440304", "440305001002"]),
            unit in prop::option::of(prop::sample::select(vec!["a", "b"])),
            own_unit in prop::option::of(prop::sample::select(vec!["a", "b"])),
            offered in prop::option::of(prop::sample::select(vec!["a", "b"])),
            district in prop::option::of(prop::sample::select(vec!["d", "e"])),
            own_districts in prop::collection::vec(prop::sample::select(vec!["d", "e"]), 0..2),
            cadre in prop::option::of(1_u128..3),
            joint in prop::collection::vec(prop::sample::select(vec!["a", "b"]), 0..2),
        ) {
            let staff = StaffMember {
                id: StaffId(Uuid::from_u128(1)),
                role,
                area: area.into(),
                unit: own_unit.map(Into::into),
                contact_districts: own_districts.into_iter().map(Into::into).collect(),
            };
            let case = CaseRelation {
                case: CaseId(Uuid::from_u128(9)),
                division: division.into(),
                contact_district: district.map(Into::into),
                contact_cadre: cadre.map(|id| StaffId(Uuid::from_u128(id))),
                unit: unit.map(Into::into),
                offered_to: offered.map(Into::into),
                joint_units: joint.into_iter().map(Into::into).collect(),
                with_supervisor: false,
                is_handled: false,
                under_review: None,
            };
            let actor = Actor::Staff(staff);
            prop_assert_eq!(
                authorize(&actor, Act::ViewCase, Some(&case)).is_ok(),
                scope(&actor).includes(&case)
            );
        }
    }
}
