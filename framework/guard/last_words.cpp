#include "framework/guard/last_words.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace retort::host {
namespace {

LastWords own;
LastWords* shared = &own;
pid_t process = 0;  // that joined

/// The memory behind an open file, or null where it is not what a launcher made.
LastWords* map_words(int file) {
  struct stat facts = {};
  if (fstat(file, &facts) != 0 || facts.st_size != sizeof(LastWords)) return nullptr;
  void* memory = mmap(nullptr, sizeof(LastWords), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) return nullptr;
  auto* words = static_cast<LastWords*>(memory);
  if (words->magic == LastWords::kMagic) return words;
  munmap(memory, sizeof(LastWords));
  return nullptr;
}

}  // namespace

LastWords& last_words() { return *shared; }

void join_launcher() {
  process = getpid();
  const char* number = std::getenv(kLastWordsVariable);
  if (number == nullptr) return;
  const int file = std::atoi(number);
  if (LastWords* words = map_words(file); words != nullptr) {
    shared = words;
    close(file);
  }
  unsetenv(kLastWordsVariable);
}

void set_command(const char* command) {
  std::strncpy(last_words().command, command, sizeof LastWords().command - 1);
}

void note_answer() {
  if (getpid() == process) last_words().answered = true;
}

}  // namespace retort::host
