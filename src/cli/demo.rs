//! placeholder
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    #[arg(long)]
    pub headless: bool,
    #[command(flatten)]
    pub look: super::top::Look,
}
pub async fn run(
    _c: &super::context::Context,
    _a: Args,
) -> Result<super::error::Outcome, super::error::Error> {
    Ok(super::error::Outcome::Fine)
}
