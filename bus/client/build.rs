//! Collects `migrations/<store>/NNNN_what_it_does.sql` into a table, so that adding a file is all it takes.

use std::{fmt::Write, fs, path::Path};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut out = String::from("pub(crate) const MIGRATIONS: &[(&str, &[Migration])] = &[\n");
    for store in sorted(&root).iter().filter(|path| path.is_dir()) {
        println!("cargo::rerun-if-changed={}", store.display());
        let _ = writeln!(out, "    ({:?}, &[", name(store));
        for (position, file) in
            sorted(store).iter().filter(|file| file.extension().is_some_and(|e| e == "sql")).enumerate()
        {
            let name = name(file);
            let expected = format!("{:04}_", position + 1);
            if !name.starts_with(&expected) {
                println!(
                    "cargo::error=migration {} must start with {expected}: migrations are numbered without gaps",
                    file.display()
                );
            }
            let text = fs::canonicalize(file).unwrap_or_else(|_| file.clone());
            let _ = writeln!(
                out,
                "        Migration {{ name: {name:?}, sql: include_str!({:?}) }},",
                text.display().to_string()
            );
        }
        out.push_str("    ]),\n");
    }
    out.push_str("];\n");
    let target = Path::new(&std::env::var("OUT_DIR").unwrap_or_default()).join("migrations.rs");
    if let Err(error) = fs::write(&target, out) {
        println!("cargo::error=the table of migrations cannot be written: {error}");
    }
}

fn sorted(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
