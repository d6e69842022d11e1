//! What lies between the stage and the drawing: the scene as it is now.

use std::sync::{Mutex, MutexGuard, PoisonError};

use leds::Scene;

/// The newest scene; older ones are nobody's business.
#[derive(Debug)]
pub struct Desk(Mutex<Scene>);

impl Default for Desk {
    fn default() -> Self {
        let scene = Scene {
            mood: None,
            text: String::new(),
            value: None,
            change: None,
            degraded: false,
            gone: false,
        };
        Desk(Mutex::new(scene))
    }
}

impl Desk {
    /// The scene now.
    #[must_use]
    pub fn scene(&self) -> Scene {
        self.lock().clone()
    }

    /// Puts a scene there.
    pub fn put(&self, scene: Scene) {
        *self.lock() = scene;
    }

    /// A scene is replaced in one go, so it is whole also after a panic elsewhere.
    fn lock(&self) -> MutexGuard<'_, Scene> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
