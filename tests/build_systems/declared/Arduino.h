/* SPDX-License-Identifier: Apache-2.0 */
/* What the Arduino examples call, as docs.arduino.cc describes it: to compile, not to run. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stdint.h>

struct Printer {
    void begin(unsigned long baud);
    void print(const char *text);
    void print(unsigned long number);
    void print(unsigned int number);
    void println(const char *text);
    void println(unsigned long number);
    void println(unsigned int number);
};
extern Printer Serial;
unsigned long micros();

#endif
