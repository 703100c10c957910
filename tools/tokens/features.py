"""The 26 counts that a token estimate is made of. src/price/tokens.rs is the same in Rust; the test vectors compare them.

One pass over code points with ASCII tests and ranges only, no Unicode tables.
"""
NAMES=['w1','w_mid','w_long','caps_break','dig3','pun','pun_rep','nl_ws','indent','lat2','lat2w','cyr','grk','heb','arab','indic','thai','hangul','kana','han','cjkp','b4','oth3','oth2','mark_zw','upper_extra']
IDX={n:i for i,n in enumerate(NAMES)}

def feats(t):
    f=[0]*len(NAMES); I=IDX
    i=0; n=len(t); o=[ord(c) for c in t]
    while i<n:
        c=o[i]
        if (97<=c<=122) or (65<=c<=90):
            # ascii (plus latin-ext) word; break at lower->Upper (camelCase) as o200k's regex does
            j=i; up=0; lat=0; caps=0
            while j<n:
                d=o[j]
                if 97<=d<=122:
                    pass
                elif 65<=d<=90:
                    up+=1
                    if j>i and 97<=o[j-1]<=122: caps+=1
                elif 0xC0<=d<0x250 or 0x1E00<=d<0x1F00: lat+=1
                else: break
                j+=1
            L=j-i
            f[I['w1']]+=1; f[I['caps_break']]+=caps
            m=min(L,12)-4
            if m>0: f[I['w_mid']]+=m          # letters 5..12
            if L>12: f[I['w_long']]+=L-12      # letters 13+
            if lat: f[I['lat2']]+=lat; f[I['lat2w']]+=1
            if up>1: f[I['upper_extra']]+=up-1-caps if up-1-caps>0 else 0
            i=j; continue
        if 48<=c<=57:
            j=i
            while j<n and 48<=o[j]<=57: j+=1
            f[I['dig3']]+=(j-i+2)//3; i=j; continue
        if c in (32,9,10,13):
            j=i; nl=0
            while j<n and o[j] in (32,9,10,13):
                nl+= o[j] in (10,13); j+=1
            if nl: f[I['nl_ws']]+=1
            tail=0; k=j-1
            while k>=i and o[k] in (32,9): tail+=1; k-=1
            if tail>1: f[I['indent']]+=1
            i=j; continue
        if c<128:
            j=i
            while j<n and o[j]<128 and o[j] not in (32,9,10,13) and not (48<=o[j]<=57 or 65<=o[j]<=90 or 97<=o[j]<=122): j+=1
            f[I['pun']]+=1; f[I['pun_rep']]+=j-i-1
            i=j; continue
        if 0xC0<=c<0x250 or 0x1E00<=c<0x1F00:
            f[I['lat2']]+=1; 
            if not (i and (97<=o[i-1]<=122 or 65<=o[i-1]<=90)): f[I['lat2w']]+=1
        elif 0x400<=c<0x530: f[I['cyr']]+=1
        elif 0x370<=c<0x400 or 0x1F00<=c<0x2000: f[I['grk']]+=1
        elif 0x590<=c<0x600: f[I['heb']]+=1
        elif 0x600<=c<0x780 or 0xFB50<=c<0xFE00 or 0xFE70<=c<0xFF00: f[I['mark_zw' if 0x64B<=c<=0x670 or 0x6D6<=c<=0x6ED else 'arab']]+=1
        elif 0x900<=c<0xE00: f[I['indic']]+=1
        elif 0xE00<=c<0xE80: f[I['thai']]+=1
        elif 0xAC00<=c<0xD7B0: f[I['hangul']]+=1
        elif 0x3040<=c<0x3100: f[I['kana']]+=1
        elif 0x4E00<=c<0xA000: f[I['han']]+=1
        elif 0x3000<=c<0x3040 or 0xFF00<=c<0xFFF0: f[I['cjkp']]+=1
        elif c>=0x10000: f[I['b4']]+=1
        elif c<0x800: f[I['oth2']]+=1
        else: f[I['oth3']]+=1
        i+=1
    return f
