//! Turns `topics.toml` into typed topics. The registry is checked here, so a mistake in it stops the build
//! with one sentence.

#[path = "build/generate.rs"]
mod generate;
#[path = "build/registry.rs"]
mod registry;

fn main() {
    println!("cargo::rerun-if-changed=../../topics.toml");
    println!("cargo::rerun-if-changed=build");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topics.toml");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            return println!(
                "cargo::error=topics.toml cannot be opened: {error}; restore it from the repository"
            );
        }
    };
    let registry = match registry::Registry::parse(&text) {
        Ok(registry) => registry,
        Err(sentence) => return println!("cargo::error={}", sentence.replace('\n', " ")),
    };
    let out = std::path::Path::new(&std::env::var("OUT_DIR").unwrap_or_default()).join("topics.rs");
    if let Err(error) = std::fs::write(&out, generate::topics(&registry)) {
        println!("cargo::error=the generated topics cannot be written to {}: {error}", out.display());
    }
}
