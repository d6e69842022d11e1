// Steward on the microcontroller: draws what Linux sends, latches the emergency stop, and shows when Linux is gone.
//
// Handlers run in the bridge's thread: they check, copy into globals, and return. Drawing happens in loop(), which
// never waits. The microcontroller only notifies and never calls: an answer that is lost would block it for ever.
// Not yet run on a board; CHECK marks what must be confirmed there.

#include <Arduino_LED_Matrix.h>
#include <Arduino_RouterBridge.h>

#include "font57.h"

#define WITH_STOP 0  // 1 once a normally closed contact is wired from D2 to ground

static const uint8_t ROWS = 8, COLUMNS = 13, PIXELS = 104, TEXT_MAX = 64;
static const uint8_t STOP_PIN = 2;
static const uint16_t DEBOUNCE_MS = 30, AGAIN_MS = 5000, BOOT_AGAIN_MS = 60000;

static Arduino_LED_Matrix matrix;

// What Linux asked for; changed by handlers, read by loop().
static volatile bool fresh = false;        // a new frame or text has come
static uint8_t wanted[PIXELS];             // levels of the frame
static char text[TEXT_MAX + 1];            // or the text, when scrolling
static volatile bool scrolling = false;
static volatile uint8_t step_ms = 50, passes = 0, ceiling = 4;
static volatile uint32_t host_until = 0;   // end of the last heartbeat's time
static volatile bool host_seen = false, host_lost_shown = false;
static volatile bool latched = false, line_open = false;
static uint8_t boots = 0;                  // CHECK: keep in backup RAM if the core offers it

// ---------------------------------------------------------------- handlers

String ver() { return String("1.0.0;1;05"); }

uint32_t hb(uint16_t ttl_s) {
  host_until = millis() + (uint32_t)ttl_s * 1000;
  host_seen = true;
  uint32_t status = (latched ? 1 : 0) | (line_open ? 2 : 0) | (host_lost_shown ? 8 : 0) | (scrolling ? 16 : 0);
  host_lost_shown = false;
  return status | ((uint32_t)boots << 8) | ((millis() / 60000) << 16);
}

uint8_t fr(String packed) {
  if (packed.length() != PIXELS / 2) return 1;
  for (uint8_t i = 0; i < PIXELS / 2; i++) {
    uint8_t two = (uint8_t)packed[i] - 0x30;
    if (two > 63) return 1;
  }
  for (uint8_t i = 0; i < PIXELS / 2; i++) {
    uint8_t two = (uint8_t)packed[i] - 0x30;
    wanted[2 * i] = two >> 3;
    wanted[2 * i + 1] = two & 7;
  }
  scrolling = false;
  fresh = true;
  return 0;
}

uint8_t tx(String words, uint8_t ms, uint8_t times) {
  if (words.length() > TEXT_MAX || ms < 20 || ms > 200 || times > 10) return 1;
  words.toCharArray(text, TEXT_MAX + 1);
  step_ms = ms;
  passes = times;
  scrolling = true;
  fresh = true;
  return 0;
}

uint8_t br(uint8_t level) {
  if (level > 4) return 1;
  ceiling = level;
  fresh = true;
  return 0;
}

uint8_t ea(uint8_t counter) {
  if (line_open || counter != boots) return 1;
  latched = false;
  fresh = true;
  return 0;
}

uint8_t rst() {
  memset(wanted, 0, PIXELS);
  scrolling = false;
  fresh = true;
  return 0;
}

// ---------------------------------------------------------------- drawing

static void show(const uint8_t* levels) {
  uint8_t frame[PIXELS];
  for (uint8_t i = 0; i < PIXELS; i++) frame[i] = levels[i] < ceiling ? levels[i] : ceiling;
  matrix.draw(frame);
}

static void show_icon(const uint16_t* rows, uint8_t level) {
  uint8_t levels[PIXELS];
  for (uint8_t row = 0; row < ROWS; row++)
    for (uint8_t column = 0; column < COLUMNS; column++)
      levels[row * COLUMNS + column] = (rows[row] >> (COLUMNS - 1 - column)) & 1 ? level : 0;
  matrix.draw(levels);  // not dimmed: these two must be seen
}

static const uint16_t ICON_STOP[ROWS] = {0x01F0, 0x0208, 0x0404, 0x05F4, 0x05F4, 0x0404, 0x0208, 0x01F0};
static const uint16_t ICON_LOST[ROWS] = {0x0000, 0x060C, 0x0912, 0x09B2, 0x0912, 0x060C, 0x0000, 0x0000};

static uint16_t scroll_at = 0, scroll_done = 0;
static uint32_t scroll_next = 0;

// One column further, if it is time.
static void scroll() {
  if ((int32_t)(millis() - scroll_next) < 0) return;
  scroll_next = millis() + step_ms;
  uint8_t levels[PIXELS];
  memset(levels, 0, PIXELS);
  uint16_t length = strlen(text);
  for (uint8_t column = 0; column < COLUMNS; column++) {
    int16_t place = (int16_t)scroll_at + column - COLUMNS;
    if (place < 0 || place / 6 >= (int16_t)length || place % 6 == 5) continue;
    uint8_t bits = glyph_column(text[place / 6], place % 6);
    for (uint8_t row = 0; row < 7; row++)
      if ((bits >> row) & 1) levels[row * COLUMNS + column] = 4;
  }
  show(levels);
  if (++scroll_at >= COLUMNS + 6 * length) {
    scroll_at = 0;
    if (passes > 0 && ++scroll_done >= passes) scrolling = false;
  }
}

// ---------------------------------------------------------------- inputs

static uint16_t pressed_seq = 0;
static uint32_t line_since = 0, said_at = 0;
static bool line_last = false;

static void look_at_the_stop() {
#if WITH_STOP
  bool open = digitalRead(STOP_PIN) == HIGH;
  if (open != line_last) { line_last = open; line_since = millis(); }
  if (millis() - line_since >= DEBOUNCE_MS) {
    if (open && !line_open) { latched = true; said_at = millis() - AGAIN_MS; fresh = true; }
    line_open = open;
  }
  if (latched && millis() - said_at >= AGAIN_MS) {
    said_at = millis();
    Bridge.notify("ev.btn", (uint8_t)1, true, pressed_seq++);
  }
#endif
}

static uint32_t boot_said_at = 0;

static void say_boot() {
  if (host_seen || (boot_said_at != 0 && millis() - boot_said_at < BOOT_AGAIN_MS)) return;
  boot_said_at = millis() | 1;
  Bridge.notify("ev.boot", String("1.0.0"), boots);
}

// ---------------------------------------------------------------- main

void setup() {
  Bridge.begin();  // waits until Linux is there; the matrix belongs to the boot animation until then
  Bridge.provide("ver", ver);
  Bridge.provide("hb", hb);
  Bridge.provide("fr", fr);
  Bridge.provide("tx", tx);
  Bridge.provide("br", br);
  Bridge.provide("ea", ea);
  Bridge.provide("rst", rst);
  boots = (uint8_t)(micros() & 0xFF);  // CHECK: differs between starts, which is all that Linux needs
  pinMode(STOP_PIN, INPUT_PULLUP);
  matrix.begin();
  matrix.setGrayscaleBits(3);  // bytes 0 to 7 are levels
}

void loop() {
  say_boot();
  look_at_the_stop();
  bool lost = !host_seen || (int32_t)(millis() - host_until) > 0;
  static bool lost_before = false, latched_before = false;
  if (lost != lost_before || latched != latched_before) fresh = true;
  lost_before = lost;
  latched_before = latched;
  if (latched) {
    if (fresh) show_icon(ICON_STOP, 4);
    fresh = false;
  } else if (lost) {
    host_lost_shown = true;
    if (fresh) show_icon(ICON_LOST, 2);
    fresh = false;
  } else if (scrolling) {
    if (fresh) { scroll_at = 0; scroll_done = 0; scroll_next = millis(); fresh = false; }
    scroll();
  } else if (fresh) {
    fresh = false;
    show(wanted);
  }
}
