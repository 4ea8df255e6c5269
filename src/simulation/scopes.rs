//! The clocks and dice that are set: one for all requests, and one for each member of the header `baggage` that has its own.

use super::change::ClockChange;
use super::clock::{Clock, Reading};
use super::dice::Dice;
use crate::message::request::Request;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};

/// Most members with a clock, and most with dice.
const MOST_MEMBERS: usize = 1000;

/// The clocks and dice of a server. They stay over activations.
#[derive(Debug, Default)]
pub(crate) struct Simulation {
    /// Whether anything is set. If not, a request does not look at the scopes.
    live: AtomicBool,
    scopes: RwLock<Scopes>,
    on_change: OnChange,
    /// `--clock`.
    clock: Option<ClockChange>,
    /// `--seed`.
    seed: Option<i64>,
}

/// Called after each change that a test makes.
#[derive(Default)]
struct OnChange(OnceLock<Box<dyn Fn() + Send + Sync>>);

impl fmt::Debug for OnChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnChange")
    }
}

#[derive(Debug, Default)]
pub(crate) struct Scopes {
    pub clocks: Scoped<Clock>,
    pub dice: Scoped<Dice>,
}

impl Simulation {
    /// Creates the simulation of the command line. A reset goes back to it.
    pub(crate) fn new(clock: Option<ClockChange>, seed: Option<i64>) -> Simulation {
        let simulation = Simulation { clock, seed, ..Simulation::default() };
        simulation.reset();
        simulation
    }

    /// Removes what tests have set. The sequence of `--seed` begins anew.
    pub(crate) fn reset(&self) {
        let clock = self.clock.and_then(|change| change.apply(&Clock::default(), Reading::real()).ok());
        let dice = self.seed.map(Dice::seeded);
        self.set(|scopes| *scopes = Scopes { clocks: Scoped::of_all(clock), dice: Scoped::of_all(dice) });
    }

    /// Calls `then` after each change, without a lock. A reset does not call it: nothing that waits by a clock lasts longer than
    /// the epoch.
    pub(crate) fn on_change(&self, then: impl Fn() + Send + Sync + 'static) {
        let _ = self.on_change.0.set(Box::new(then));
    }

    /// Returns the clock and the dice for `request`. Of its members the first counts that has its own.
    pub(crate) fn find(&self, request: &Request) -> (Clock, Dice) {
        if !self.live.load(Ordering::Relaxed) {
            return Default::default();
        }
        let members = members(request);
        self.look(|scopes| (scopes.clocks.find(&members), scopes.dice.find(&members)))
    }

    /// Returns the clock for a request with these members.
    pub(crate) fn clock_for(&self, members: &[String]) -> Clock {
        self.look(|scopes| scopes.clocks.find(members))
    }

    /// Returns the clock and the dice for a load.
    pub(crate) fn of_load(&self) -> (Clock, Dice) {
        self.look(|scopes| (scopes.clocks.find(&[]), scopes.dice.find(&[]).of_load()))
    }

    /// Runs `look` with the scopes. They don't change meanwhile.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Scopes) -> T) -> T {
        look(&self.scopes.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs `change` with the scopes.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Scopes) -> T) -> T {
        let result = self.set(change);
        self.on_change.0.get().into_iter().for_each(|then| then());
        result
    }

    fn set<T>(&self, change: impl FnOnce(&mut Scopes) -> T) -> T {
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut scopes);
        self.live.store(!scopes.clocks.is_empty() || !scopes.dice.is_empty(), Ordering::Relaxed);
        result
    }
}

/// Returns the members of the header `baggage`, such as `test=17`.
pub(crate) fn members(request: &Request) -> Vec<String> {
    request.baggage().iter().map(|(name, value)| format!("{name}={value}")).collect()
}

/// A setting for all requests, and settings by member, such as `test=17`.
#[derive(Debug, Default)]
pub(crate) struct Scoped<T> {
    all: Option<T>,
    members: BTreeMap<String, T>,
}

impl<T: Clone + Default> Scoped<T> {
    fn of_all(all: Option<T>) -> Scoped<T> {
        Scoped { all, members: BTreeMap::new() }
    }

    fn is_empty(&self) -> bool {
        self.all.is_none() && self.members.is_empty()
    }

    /// Returns the setting for a request with these members: that of the first member that has one, or that of all requests.
    fn find(&self, members: &[String]) -> T {
        let own = members.iter().find_map(|member| self.members.get(member));
        own.or(self.all.as_ref()).cloned().unwrap_or_default()
    }

    /// Returns the setting of `member`, or that of all requests; `None` if it has none of its own.
    pub(crate) fn get(&self, member: Option<&str>) -> Option<&T> {
        member.map_or(self.all.as_ref(), |member| self.members.get(member))
    }

    pub(crate) fn members(&self) -> &BTreeMap<String, T> {
        &self.members
    }

    /// Sets what `change` makes of the present setting, for `member` or for all requests. A member without a setting has that of
    /// all requests.
    ///
    /// # Errors
    /// The error of `change`, or too many members have a setting. Nothing changes then.
    pub(crate) fn set(
        &mut self,
        member: Option<&str>,
        change: impl FnOnce(&T) -> Result<T, String>,
    ) -> Result<(), String> {
        let Some(member) = member else {
            self.all = Some(change(self.all.as_ref().unwrap_or(&T::default()))?);
            return Ok(());
        };
        if self.members.len() >= MOST_MEMBERS && !self.members.contains_key(member) {
            return Err(format!(
                "{MOST_MEMBERS} members have their own already: remove one, with DELETE and its `?baggage=KEY=VALUE`"
            ));
        }
        let value = change(&self.find(&[member.to_owned()]))?;
        self.members.insert(member.to_owned(), value);
        Ok(())
    }

    /// Removes the setting of `member`, or all settings. Returns how many there were.
    pub(crate) fn remove(&mut self, member: Option<&str>) -> usize {
        if let Some(member) = member {
            return usize::from(self.members.remove(member).is_some());
        }
        let count = usize::from(self.all.is_some()) + self.members.len();
        *self = Scoped::of_all(None);
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::{Speed, Start};

    fn request(baggage: &str) -> Request {
        Request::from_parts("GET", "/", [("Baggage", baggage)], Vec::new(), None, None)
    }

    fn frozen(wall: i128) -> ClockChange {
        ClockChange { start: Some(Start::At(wall)), speed: Some(Speed::FROZEN), ..ClockChange::default() }
    }

    /// Freezes the clock of `member` at `wall`.
    fn freeze(simulation: &Simulation, member: Option<&str>, wall: i128) -> Result<(), String> {
        simulation.change(|scopes| scopes.clocks.set(member, |now| frozen(wall).apply(now, Reading::real())))
    }

    #[test]
    fn the_first_member_with_a_clock_counts() {
        let simulation = Simulation::default();
        freeze(&simulation, Some("test=17"), 17).unwrap();
        freeze(&simulation, Some("run=a, b"), 99).unwrap();
        let now = Reading::real().wall;
        let shown = |baggage| simulation.find(&request(baggage)).0.wall();
        for (baggage, wall) in [
            ("test=17", Some(17)),
            ("a=b;p=1, test=17;p=1", Some(17)),
            ("run=a%2C%20b,test=17", Some(99)),
            ("test=17,run=a%2C%20b", Some(17)),
            ("test=1", None),
            ("TEST=17", None),
            ("", None),
        ] {
            let at = shown(baggage);
            assert!(wall.map_or(at >= now, |wall| at == wall), "{baggage}: {at}");
        }
        freeze(&simulation, None, 5).unwrap();
        assert_eq!([shown(""), shown("test=1"), shown("test=17")], [5, 5, 17]);
    }

    #[test]
    fn a_new_member_goes_on_from_the_clock_of_all() {
        let simulation = Simulation::default();
        freeze(&simulation, None, 100).unwrap();
        let advance = ClockChange { advance: 5, ..ClockChange::default() };
        let change =
            |scopes: &mut Scopes| scopes.clocks.set(Some("a=1"), |now| advance.apply(now, Reading::real()));
        simulation.change(change).unwrap();
        simulation.change(change).unwrap();
        assert_eq!(simulation.find(&request("a=1")).0.wall(), 110);
        assert_eq!(simulation.find(&request("")).0.wall(), 100);
    }

    #[test]
    fn members_are_bounded() {
        let simulation = Simulation::default();
        for member in 0..MOST_MEMBERS {
            freeze(&simulation, Some(&format!("a={member}")), 1).unwrap();
        }
        let error =
            "1000 members have their own already: remove one, with DELETE and its `?baggage=KEY=VALUE`";
        assert_eq!(freeze(&simulation, Some("b=1"), 1).unwrap_err(), error);
        freeze(&simulation, Some("a=1"), 2).unwrap();
        freeze(&simulation, None, 2).unwrap();
        simulation.change(|scopes| {
            assert_eq!([scopes.clocks.remove(Some("a=1")), scopes.clocks.remove(Some("a=1"))], [1, 0]);
            assert_eq!(scopes.clocks.remove(None), MOST_MEMBERS);
        });
        assert!(!simulation.live.load(Ordering::Relaxed));
    }

    #[test]
    fn a_reset_goes_back_to_the_command_line() {
        let simulation = Simulation::new(Some(frozen(3)), Some(7));
        let draw = || simulation.find(&request("")).1.generator().map(|generator| generator.u64(..));
        let first = draw();
        assert!(first.is_some() && draw() != first);
        freeze(&simulation, Some("a=1"), 9).unwrap();
        freeze(&simulation, None, 9).unwrap();
        simulation.reset();
        assert_eq!(simulation.find(&request("a=1")).0.wall(), 3);
        assert_eq!(draw(), first);
        assert_eq!(simulation.of_load().0.wall(), 3);
        let none = Simulation::new(None, None);
        assert!(!none.live.load(Ordering::Relaxed));
    }
}
