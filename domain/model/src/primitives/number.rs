use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The number a resident holds and a clerk can take down by phone: eleven random digits and a check digit
/// (ISO 7064 MOD 11-10), so that it tells no daily volume and a mistyped digit is noticed.
/// Written in three groups of four: `8271-5590-3316`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaseNumber(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseNumberError {
    #[error("a case number has twelve digits")]
    Length,
    #[error("the check digit does not fit: one digit is mistyped")]
    CheckDigit,
}

const RANDOM_DIGITS: u64 = 100_000_000_000;

impl CaseNumber {
    /// The number for any random value; all 64-bit values are accepted.
    pub fn from_random(random: u64) -> Self {
        let digits = format!("{:011}", random % RANDOM_DIGITS);
        let check = check_digit(digits.bytes().map(|byte| u32::from(byte - b'0')));
        CaseNumber(format!("{digits}{check}"))
    }

    /// Twelve digits without separators.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

/// ISO 7064 MOD 11-10.
fn check_digit(digits: impl Iterator<Item = u32>) -> u32 {
    let product = digits.fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10
}

impl FromStr for CaseNumber {
    type Err = CaseNumberError;

    /// Accepts spaces, dashes and full-width digits, as people type them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut digits = String::with_capacity(12);
        for character in text.trim().chars() {
            match character {
                '0'..='9' => digits.push(character),
                '０'..='９' => digits.push(char::from(b'0' + (character as u32 - '０' as u32) as u8)),
                ' ' | '-' | '－' | '—' | '　' => {}
                _ => return Err(CaseNumberError::Length),
            }
        }
        if digits.len() != 12 {
            return Err(CaseNumberError::Length);
        }
        let mut values = digits.bytes().map(|byte| u32::from(byte - b'0'));
        let expected = check_digit(values.by_ref().take(11));
        if values.next() != Some(expected) {
            return Err(CaseNumberError::CheckDigit);
        }
        Ok(CaseNumber(digits))
    }
}

impl TryFrom<String> for CaseNumber {
    type Error = CaseNumberError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CaseNumber> for String {
    fn from(number: CaseNumber) -> Self {
        number.0
    }
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", &self.0[0..4], &self.0[4..8], &self.0[8..12])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_single_mistyped_digit_is_noticed() {
        for random in [0, 1, 82_715_590_331, 99_999_999_999, u64::MAX] {
            let number = CaseNumber::from_random(random);
            for place in 0..12 {
                for digit in b'0'..=b'9' {
                    let mut typed = number.digits().as_bytes().to_vec();
                    if typed[place] == digit {
                        continue;
                    }
                    typed[place] = digit;
                    let typed = String::from_utf8(typed).unwrap();
                    assert_eq!(
                        typed.parse::<CaseNumber>(),
                        Err(CaseNumberError::CheckDigit),
                        "{typed}"
                    );
                }
            }
        }
    }

    #[test]
    fn is_read_as_people_type_it() {
        let number = CaseNumber::from_random(82_715_590_331);
        assert_eq!(number.to_string().parse(), Ok(number.clone()));
        let full_width: String = number
            .digits()
            .chars()
            .map(|digit| char::from_u32(digit as u32 - 0x30 + '０' as u32).unwrap())
            .collect();
        assert_eq!(full_width.parse(), Ok(number));
        assert_eq!("12".parse::<CaseNumber>(), Err(CaseNumberError::Length));
        assert_eq!("12x456789012".parse::<CaseNumber>(), Err(CaseNumberError::Length));
    }
}
