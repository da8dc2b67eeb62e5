/// An inline static of a visible class: the loader makes one variable of all plugins' copies
/// (STB_GNU_UNIQUE), whatever RTLD_LOCAL says.
struct __attribute__((visibility("default"))) Shared {
  static inline int counter = 0;
};

__attribute__((used)) static int* counter() { return &Shared::counter; }
