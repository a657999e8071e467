//! The fields of a submission that the residents' pages and the clerk's page share.

use super::{form::Posted, visit::Visit, words};
use crate::views::{Choice, ChoiceGroup};
use onetrip_http_kit::FieldError;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What has been typed so far. Kept sealed between the pages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Draft {
    /// Becomes the key of the submission, so that sending it twice is one case.
    pub id: Uuid,
    pub category: String,
    pub text: String,
    /// What is new, where the same matter has had its final review; None until that turned out.
    pub new_fact: Option<String>,
    pub street: String,
    pub community: String,
    pub place: String,
    pub whole_city: bool,
    pub name: String,
    pub phone: String,
    pub unnamed: bool,
    pub photos: Vec<Uuid>,
}

impl Draft {
    pub fn new() -> Draft {
        Draft {
            id: Uuid::new_v4(),
            ..Draft::default()
        }
    }

    pub fn read_what(&mut self, posted: &Posted) {
        self.category = posted.text("category");
        self.text = posted.text("text");
        if posted.has("new_fact") {
            self.new_fact = Some(posted.text("new_fact"));
        }
    }

    pub fn read_place(&mut self, posted: &Posted) {
        self.street = posted.text("street");
        self.community = posted.text("community");
        // A community of another street was left over from an earlier choice.
        if !self.community.starts_with(&self.street) || self.street.is_empty() {
            self.community.clear();
        }
        self.place = posted.text("place");
        self.whole_city = posted.flag("whole_city");
    }

    pub fn read_contact(&mut self, posted: &Posted) {
        self.name = posted.text("name");
        self.phone = posted.text("phone");
        self.unnamed = posted.flag("unnamed");
    }

    /// The code of the place: the community, else the street, else the city.
    pub fn division(&self, city: &str) -> String {
        match (self.whole_city, self.community.is_empty()) {
            (true, _) => city.to_owned(),
            (false, false) => self.community.clone(),
            (false, true) => self.street.clone(),
        }
    }

    pub fn new_case(&self, city: &str) -> onetrip_casework::NewCase {
        onetrip_casework::NewCase {
            category: self.category.clone(),
            words: self.text.clone(),
            division: self.division(city),
            place_words: Some(self.place.clone()),
            name: Some(self.name.clone()).filter(|_| !self.unnamed),
            phone: Some(self.phone.clone()).filter(|_| !self.unnamed),
            new_fact: self.new_fact.clone(),
            photos: self.photos.clone(),
            with: None,
        }
    }
}

/// The city whose streets can be chosen: the first that is not another system's.
pub(super) fn city(visit: &Visit) -> String {
    let cities = visit.casework().directory().cities();
    let national = cities
        .iter()
        .find(|city| city.code.bytes().all(|byte| byte.is_ascii_digit()));
    national
        .or(cities.first())
        .map(|city| city.code.clone())
        .unwrap_or_default()
}

/// Streets under their districts.
pub(super) fn streets(visit: &Visit, chosen: &str) -> Vec<ChoiceGroup> {
    let (directory, locale) = (visit.casework().directory(), visit.locale());
    let districts = directory.children(&city(visit));
    let group = |district: onetrip_casework::Division| ChoiceGroup {
        choices: directory
            .children(&district.code)
            .into_iter()
            .map(|street| {
                Choice::new(
                    &street.code,
                    words::division(directory, locale, &street.code),
                    street.code == chosen,
                )
            })
            .collect(),
        label: words::division(directory, locale, &district.code),
    };
    districts.into_iter().map(group).collect()
}

pub(super) fn communities(visit: &Visit, street: &str, chosen: &str) -> Vec<Choice> {
    let (directory, locale) = (visit.casework().directory(), visit.locale());
    let inside = if street.is_empty() {
        Vec::new()
    } else {
        directory.children(street)
    };
    inside
        .into_iter()
        .filter(|community| community.level == "community")
        .map(|community| {
            Choice::new(
                &community.code,
                words::division(directory, locale, &community.code),
                community.code == chosen,
            )
        })
        .collect()
}

/// The submission was refused since its matter has had its final review: asks for what is new since then.
pub(super) fn asks_what_is_new(visit: &Visit, draft: &mut Draft) -> FieldError {
    draft.new_fact.get_or_insert_default();
    FieldError::new("new_fact", visit.t("err-new-fact"))
}

/// The form field that a field of a submission is typed into.
pub(super) fn control(field: &str) -> String {
    match field {
        "words" => "text",
        "division" => "street",
        "place_words" => "place",
        "photos" => "photo",
        other => other,
    }
    .to_owned()
}
