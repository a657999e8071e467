//! `onetrip deadline`: the proof of a case's deadlines, counted anew from the log, without a running service.

use crate::{
    config::Config,
    database,
    failure::{Doing, Failure},
};
use clap::{Subcommand, ValueEnum};
use onetrip_casework::system_clock;
use onetrip_i18n::Locale;
use onetrip_model::CaseNumber;
use onetrip_portal::proof::{clock_name, sentences};
use prometheus::Registry;

#[derive(Subcommand)]
pub enum DeadlineCommand {
    /// Count every deadline of a case again, a step a line
    Prove {
        /// The case's number, such as 8271-5590-3316
        number: String,
        #[arg(long, value_enum, default_value_t = Language::En)]
        lang: Language,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    Zh,
    En,
}

pub async fn deadline(config: &Config, command: DeadlineCommand) -> Result<(), Failure> {
    let DeadlineCommand::Prove { number, lang } = command;
    let number: CaseNumber = number
        .parse()
        .map_err(|_| Failure::setting("number", format!("`{number}` is no case number: twelve digits")))?;
    let locale = match lang {
        Language::Zh => Locale::ZhCn,
        Language::En => Locale::En,
    };
    let pool = database::connect(config).await?;
    let casework = database::casework(config, pool, system_clock(), &Registry::new()).await?;
    let proofs = casework
        .deadline_proofs(&number)
        .await
        .doing("reading the case")?
        .ok_or_else(|| Failure::setting("number", format!("there is no case {number}")))?;
    for proof in &proofs {
        println!("{}", clock_name(locale, proof.kind));
        for sentence in sentences(locale, proof) {
            println!("  {sentence}");
        }
    }
    if proofs.is_empty() {
        println!("This case has no deadlines that were counted here.");
    }
    Ok(())
}
