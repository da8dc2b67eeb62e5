/// Throws what is no std::exception, through functions of C.
extern "C" void throw_a_number() { throw 3; }
