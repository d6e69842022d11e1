//! The European Central Bank's reference rates as XML: the last day, 90 days, everything.

use super::web::{self, Bend};
use crate::RawReply;
use crate::core::dates::{day_at, iso};
use crate::core::fixed;
use crate::core::fixings::FIXED;
use crate::core::market::first_day;
use crate::core::world::World;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gesmes:Envelope xmlns:gesmes=\"http://www.gesmes.org/xml/2002-08-01\" xmlns=\"http://www.ecb.int/vocabulary/2002-08-01/eurofxref\">\n\t<gesmes:subject>Reference rates</gesmes:subject>\n\t<gesmes:Sender>\n\t\t<gesmes:name>European Central Bank</gesmes:name>\n\t</gesmes:Sender>\n\t<Cube>\n";
const FOOT: &str = "\t</Cube>\n</gesmes:Envelope>\n";

impl World {
    /// Writes one of the three files.
    pub(super) fn ecb(&mut self, path: &str, bend: &Bend) -> RawReply {
        let today = day_at(self.now);
        let Some(last) = self.published_day(today) else { return web::html(404, "no rates yet") };
        let first = match path {
            "stats/eurofxref/eurofxref-daily.xml" => last,
            "stats/eurofxref/eurofxref-hist-90d.xml" => today - 90,
            "stats/eurofxref/eurofxref-hist.xml" => first_day(),
            other => {
                self.unmodelled_note(&format!("ecb file {other}"));
                return web::html(404, "<html><body>404</body></html>");
            }
        };
        let days = (first.max(first_day())..=last).rev().filter(|day| self.fixing_of(*day).is_some());
        let cubes: String = days.map(|day| self.cube(day, bend)).collect();
        web::xml(format!("{HEAD}{}{FOOT}", if bend.empty { "" } else { &cubes }))
    }

    fn cube(&self, day: i32, bend: &Bend) -> String {
        let mut out = format!("\t\t<Cube time='{}'>\n", iso(day));
        for (currency, _) in FIXED {
            if let Some(rate) = self.published_rate(currency, day) {
                let rate = fixed::text(bend.price(rate), 6, 0);
                out.push_str(&format!("\t\t\t<Cube currency='{currency}' rate='{rate}'/>\n"));
            }
        }
        out.push_str("\t\t</Cube>\n");
        out
    }
}
