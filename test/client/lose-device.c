// For LD_PRELOAD: once, when the file that LOSE_DEVICE names is there, the driver's vkQueueSubmit answers that the device
// is lost. What is above it, Dawn and onnxruntime, is the real thing.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
typedef int (*submit_t)(void*, unsigned, const void*, void*);
typedef void* (*gpa_t)(void*, const char*);
static submit_t real_submit, real_submit2;
static gpa_t real_gdpa, real_gipa;
static int lost(void){ const char* f = getenv("LOSE_DEVICE"); return f && unlink(f) == 0; }
static int my_submit(void* q, unsigned n, const void* s, void* f){ if (lost()) return -4; return real_submit(q,n,s,f); }
static int my_submit2(void* q, unsigned n, const void* s, void* f){ if (lost()) return -4; return real_submit2(q,n,s,f); }
static void* wrap(const char* name, void* p){
  if (!p) return p;
  if (!strcmp(name,"vkQueueSubmit")) { real_submit=(submit_t)p; return (void*)my_submit; }
  if (!strcmp(name,"vkQueueSubmit2")||!strcmp(name,"vkQueueSubmit2KHR")) { real_submit2=(submit_t)p; return (void*)my_submit2; }
  return p;
}
static void* my_gdpa(void* d, const char* name){ return wrap(name, real_gdpa(d,name)); }
static void* my_gipa(void* i, const char* name){
  if (!strcmp(name,"vkGetInstanceProcAddr")) return (void*)my_gipa;
  void* p = real_gipa(i,name);
  if (!strcmp(name,"vkGetDeviceProcAddr") && p) { real_gdpa=(gpa_t)p; return (void*)my_gdpa; }
  return wrap(name,p);
}
void* dlsym(void* h, const char* name){
  static void* (*real)(void*, const char*);
  if (!real) real = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
  if (!real) real = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
  void* p = real(h,name);
  if (p && !strcmp(name,"vkGetInstanceProcAddr")) { real_gipa=(gpa_t)p; return (void*)my_gipa; }
  return p;
}
