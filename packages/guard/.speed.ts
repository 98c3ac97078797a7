import { generateKey, importKey, sign, verify } from '@sealwax/jwt'
import { randomBytes } from 'node:crypto'
import { createGuard, createRevocationList, subjectKey } from '@sealwax/guard'
const issuer='https://auth.example.com', audience='orders-api'
const keys: any[] = [importKey(randomBytes(32),{alg:'HS256'}), await generateKey('ES256')]
const N=20000
for (const key of keys) for (const mode of ['plain','node','ver']) {
  const revocation=createRevocationList()
  const until = Date.now()/1000+900
  for(let i=0;i<1000;i++) revocation.add({kind:'sid',sid:randomBytes(16).toString('base64url'),until})
  if(mode==='ver') revocation.add({kind:'ver',subject:subjectKey(issuer,'other'),ver:3,until})
  const guard=createGuard({issuer,audience,keys:[key],revocation})
  const off=createGuard({issuer,audience,keys:[key],revocation,cacheSize:0})
  const token=sign({sub:'0b8f4f0e-9a60-4c2c-8e55-1f2a3b4c5d6e',sid:randomBytes(16).toString('base64url'),client_id:'web',scope:'orders:read orders:write',roles:['user'],auth_time:Math.floor(Date.now()/1000),amr:['pwd']},key,{issuer,audience,typ:'at+jwt',expiresIn:'15m'})
  const req={scope:'orders:read'} as const
  const run=(g:any,text:string,n:number,ok=true)=>{let m=1e9;for(let r=0;r<25;r++){
    const src=Buffer.from('Bearer '+text)
    const rs=Array.from({length:n},()=>{const v=src.toString('latin1'); const headers={host:'localhost',connection:'keep-alive',accept:'*/*','user-agent':'x',authorization:v}; return mode==='plain'?{headers:{authorization:v}}:{method:'GET',url:'/orders/1',headers,rawHeaders:['Host','localhost','Connection','keep-alive','Accept','*/*','User-Agent','x','Authorization',v]}})
    const t=process.hrtime.bigint(); for(let i=0;i<n;i++){ if(ok) g.authenticate(rs[i],req); else try{g.authenticate(rs[i],req)}catch{} } m=Math.min(m,Number(process.hrtime.bigint()-t)/n)}return (m/1000).toFixed(2)}
  const rb=randomBytes(9000).toString('base64url')
  const three=rb.slice(0,2700)+'.'+rb.slice(0,2700)+'.'+rb.slice(0,2790)
  const hdr=token.split('.')[0]+'.eyJ'+rb.slice(0,8000)+'.'+token.split('.')[2]
  console.log(key.alg,mode,token.length,'hit',run(guard,token,N),'µs; uncached',run(off,token,2000),'; garbage', run(guard,rb.slice(0,8192),2000,false),'3 segs',run(guard,three,2000,false),'good header',run(guard,hdr,2000,false))
}
