//! The values written down beside the document, for tests.

use serde_json::Value;

pub struct Vectors(pub Value);

impl Vectors {
    pub fn read() -> Vectors {
        let text = include_str!("../../../ops/docs/evidence/vectors.json");
        Vectors(serde_json::from_str(text).expect("the written values are JSON"))
    }
}

pub fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("a text").as_bytes();
    let digit = |ascii: u8| char::from(ascii).to_digit(16).expect("a digit") as u8;
    text.chunks(2)
        .map(|pair| digit(pair[0]) * 16 + digit(pair[1]))
        .collect()
}
